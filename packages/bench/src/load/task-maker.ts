// Makes the tasks of a load: payloads that do not compress to nothing, and options by their shape.

import { OpaqueBytes, type EnqueueOptions } from '@tq/client'
import type { TaskShape } from './load-message.ts'

export interface MadeTask {
  readonly type: string
  readonly payload: OpaqueBytes
  readonly options?: Omit<EnqueueOptions, 'call'>
}

/** The moment when a task was due is the first number of its payload. */
const STAMP_BYTES = 8
const PRIORITY_MAX = 255

export class TaskMaker {
  readonly #bytes: Uint8Array
  readonly #tasks: readonly MadeTask[]
  #made = 0

  constructor(shape: TaskShape) {
    this.#bytes = scrambledBytes(shape.payloadBytes)
    const payload = new OpaqueBytes(this.#bytes)
    this.#tasks = optionsOf(shape).map((options) => {
      return options === undefined ? { type: 'noop', payload } : { type: 'noop', payload, options }
    })
  }

  /** The next task; all share the bytes of one payload. */
  next(): MadeTask {
    const task = this.#tasks[this.#made % this.#tasks.length] as MadeTask
    this.#made += 1
    return task
  }

  /** The next task, with the moment when it is due in its payload, if there is room for it. */
  stamped(dueUs: number): MadeTask {
    const task = this.next()
    if (this.#bytes.length < STAMP_BYTES) return task
    const bytes = Uint8Array.from(this.#bytes)
    new DataView(bytes.buffer).setFloat64(0, dueUs)
    return { ...task, payload: new OpaqueBytes(bytes) }
  }
}

/** When a stamped task was due; undefined of a payload without room for it. */
export function dueUsOf(payload: Uint8Array): number | undefined {
  if (payload.length < STAMP_BYTES) return undefined
  return new DataView(payload.buffer, payload.byteOffset, STAMP_BYTES).getFloat64(0)
}

export function scrambledBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count)
  let state = 0x9e3779b9
  for (let at = 0; at < count; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

function optionsOf(shape: TaskShape): readonly (MadeTask['options'] | undefined)[] {
  const { priorities, priority, delayMs } = shape
  const levels =
    priority !== undefined
      ? [priority]
      : priorities === 1
        ? [undefined]
        : scrambledLevels(priorities)
  return levels.map((level) => {
    if (level === undefined && delayMs === 0) return undefined
    return {
      ...(level === undefined ? {} : { priority: level }),
      ...(delayMs === 0 ? {} : { delayMs }),
    }
  })
}

/** Levels over the whole range, in no order that a heap would find easy. */
function scrambledLevels(count: number): number[] {
  const bytes = scrambledBytes(count * 100)
  return Array.from(bytes, (byte) => {
    const level = byte % count
    return Math.round((level * PRIORITY_MAX) / (count - 1))
  })
}
