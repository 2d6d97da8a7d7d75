// The settings of a load: what stands for all scenarios, and what a variant changes.

import type { Streams, TaskShape, Work } from '../load/load-message.ts'

export interface LoadSettings extends TaskShape, Streams, Work {
  /** Tasks of one measurement. */
  readonly tasks: number
  /** Length of an open loop. */
  readonly seconds: number
  readonly minutes: number
  readonly perSecond: number
  /** Connections of the producers, and as many workers. */
  readonly connections: number
  readonly queueCount: number
  /** Tasks that wait before anything is measured. */
  readonly waiting: number
  /** Largest number of waiting tasks that a scenario may ask for. */
  readonly waitingMax: number
  /** Largest number of connections that a scenario may ask for. */
  readonly connectionsMax: number
  /** Ended tasks that a queue keeps; undefined leaves the product's defaults. */
  readonly retentionCount: number | undefined
}

/** What may be asked for on the command line. */
export interface AskedSettings {
  readonly tasks: number
  readonly seconds: number
  readonly minutes: number
  readonly payloadBytes: number
  readonly connections: number
  readonly connectionsMax: number
  readonly waitingMax: number
  readonly retentionCount: number | undefined
}

/** Tasks of a request of a program that has many at hand. */
const BATCH = 500
/** Batches under way on a connection: one is decoded while another is committed. */
const BATCHES_OUTSTANDING = 2
/** Slots of each of four workers. */
const SLOTS = 64

export function loadSettings(asked: AskedSettings): LoadSettings {
  return {
    ...asked,
    perSecond: 2_000,
    queueCount: 1,
    waiting: 0,
    priorities: 1,
    delayMs: 0,
    batch: BATCH,
    outstanding: BATCHES_OUTSTANDING,
    isAlone: false,
    concurrency: SLOTS,
    failures: 0,
    resultBytes: 0,
    isStamped: false,
  }
}

/** Those of a scenario's sizes that are asked for: none above `max`, which stands for them. */
export function within(sizes: readonly number[], max: number): readonly number[] {
  return [...new Set(sizes.map((size) => Math.min(size, max)))]
}

export function shapeOf(settings: LoadSettings): TaskShape {
  const { payloadBytes, priorities, delayMs, priority } = settings
  return { payloadBytes, priorities, delayMs, ...(priority === undefined ? {} : { priority }) }
}

export function streamsOf({ batch, outstanding, isAlone }: LoadSettings): Streams {
  return { batch, outstanding, isAlone }
}

export function workOf(settings: LoadSettings): Work {
  const { concurrency, failures, resultBytes, minPriority, isStamped } = settings
  const least = minPriority === undefined ? {} : { minPriority }
  return { concurrency, failures, resultBytes, isStamped, ...least }
}
