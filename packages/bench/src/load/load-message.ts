// What the bench says to a load process, and what it hears back.

import type { Latency } from '../figure/latency-histogram.ts'

/** What a task looks like. */
export interface TaskShape {
  readonly payloadBytes: number
  /** Different priorities, taken in turn; 1 leaves the priority out. */
  readonly priorities: number
  /** Wins over `priorities`. */
  readonly priority?: number
  /** 0 leaves the delay out. */
  readonly delayMs: number
}

/** How a closed loop sends: the next request of a stream when the one before was answered. */
export interface Streams {
  /** Tasks of a request; 1 calls for each task alone, and the SDK gathers the calls of a turn. */
  readonly batch: number
  /** Calls under way on each connection. */
  readonly outstanding: number
  /** Each task in a request of its own, whatever else is called for in that turn. */
  readonly isAlone: boolean
}

/** What the workers do with a task. */
export interface Work {
  /** Tasks that each worker runs at a time. */
  readonly concurrency: number
  /** Attempts that fail before one succeeds. */
  readonly failures: number
  /** 0 returns no result. */
  readonly resultBytes: number
  readonly minPriority?: number
  /** Their payloads say when they were due, as those of an open loop do. */
  readonly isStamped: boolean
}

export type LoadOrder =
  | {
      readonly kind: 'connect'
      readonly port: number
      readonly queues: readonly string[]
      readonly connections: number
      /** Those of producers are opened now, those of workers when they are hired. */
      readonly role: 'producer' | 'worker'
    }
  /** A closed loop: so many tasks as fast as they are taken. */
  | {
      readonly kind: 'enqueue'
      readonly tasks: number
      readonly shape: TaskShape
      readonly streams: Streams
    }
  /** A closed loop for a while, held back while more than `waitingMax` tasks wait. */
  | {
      readonly kind: 'stream'
      readonly seconds: number
      readonly waitingMax: number
      readonly shape: TaskShape
      readonly streams: Streams
    }
  /** An open loop: one task at each moment of a fixed rate, whatever became of the ones before. */
  | {
      readonly kind: 'arrivals'
      readonly tasks: number
      readonly perSecond: number
      readonly shape: TaskShape
    }
  /** Latencies of acknowledgements since the last such question, of the load that runs. */
  | { readonly kind: 'sample' }
  /** Starts the workers; they take whatever waits. */
  | { readonly kind: 'hire'; readonly work: Work }
  /** Until they have completed so many tasks; without a number, until `drain-until` names one. */
  | { readonly kind: 'drain'; readonly tasks?: number }
  | { readonly kind: 'drain-until'; readonly tasks: number }
  /** Stops the workers. */
  | { readonly kind: 'dismiss' }
  /** One task at a time: enqueue, wait for its handler, wait for its result. */
  | { readonly kind: 'latency'; readonly rounds: number; readonly shape: TaskShape }

export type LoadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly done: Done }
  | { readonly kind: 'sample'; readonly ack: Latency }
  | { readonly kind: 'failed'; readonly message: string }

/** What a load has done. */
export interface Done {
  readonly tasks: number
  /** From its first call, or the start of its first handler, by the machine's monotonic clock. */
  readonly fromUs: number
  /** To its last acknowledgement. */
  readonly toUs: number
  /** From the call of enqueue, or the moment when it was due, to its acknowledgement. */
  readonly ack?: Latency
  /** From the moment a task was due to the start of its handler: of open loops and lone tasks. */
  readonly start?: Latency
  /** How much later than due the load itself made its calls: its own share in the latencies. */
  readonly late?: Latency
}

/** Answers come in any order; each names the order it belongs to. */
export interface Numbered<Message> {
  readonly number: number
  readonly message: Message
}
