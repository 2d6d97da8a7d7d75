// One task on its way to an enqueue: its id, its encoded payload, and what it costs a frame.

import {
  limits,
  slotOfQueue,
  slotOfTaskId,
  type TaskIdBytes,
  TaskIdMaker,
  type TaskOptions,
  type TaskSpec,
  TqError,
} from '@tq/core'
import type { ClientSettings } from './client-options.ts'
import { bytesOf } from './opaque-bytes.ts'
import type { CallOptions } from './session.ts'
import { taskIdBytes } from './task-id-text.ts'

/** What a producer may say about a task and about the request that enqueues it. */
export interface EnqueueOptions extends TaskOptions {
  /** An id made before by `newTaskId`, so that the same enqueue can be repeated after a crash. */
  readonly id?: string
  /** Timeout and signal of the request; such a call is not gathered with others. */
  readonly call?: CallOptions
}

export interface PreparedTask {
  readonly spec: TaskSpec & { readonly id: TaskIdBytes }
  /** False if the id was given: the broker must look it up. */
  readonly isFresh: boolean
  /** Bytes of the payload, and a bound for those of the options. */
  readonly bytes: number
  /** MessagePack nodes in the frame. */
  readonly nodes: number
}

/** Queue names whose slot is remembered; hashing each time would cost as much as making the id. */
const SLOTS_KEPT_MAX = 1_000
/** Nodes of a task without options: the array, id, type, payload, and nil. */
const PLAIN_NODES = 5

export class EnqueueSpecMaker {
  readonly #ids: TaskIdMaker
  readonly #slots = new Map<string, number>()

  constructor(settings: ClientSettings) {
    const { clock, random } = settings
    const fillRandom = (bytes: Uint8Array): void => random.fill(bytes)
    this.#ids = new TaskIdMaker({ wallMs: () => clock.wallMs(), fillRandom })
  }

  newId(queue: string): TaskIdBytes {
    return this.#ids.make(this.#slotOf(queue))
  }

  /** Throws BAD_REQUEST or TOO_LARGE. */
  make(queue: string, type: string, value: unknown, options?: EnqueueOptions): PreparedTask {
    const payload = bytesOf(value)
    if (payload.length > limits.PAYLOAD_BYTES_MAX) throw tooLarge(payload.length)
    if (options === undefined) {
      const spec = { id: this.newId(queue), type, payload, options: undefined }
      return { spec, isFresh: true, bytes: payload.length, nodes: PLAIN_NODES }
    }
    const { id: given, call: _call, ...taskOptions } = options
    const id = given === undefined ? this.newId(queue) : this.#checkedId(given, queue)
    const { bytes, nodes } = costOf(taskOptions)
    return {
      spec: { id, type, payload, options: nodes === 1 ? undefined : taskOptions },
      isFresh: given === undefined,
      bytes: payload.length + bytes,
      nodes: PLAIN_NODES + nodes,
    }
  }

  #checkedId(text: string, queue: string): TaskIdBytes {
    const id = taskIdBytes(text)
    if (slotOfTaskId(id) === this.#slotOf(queue)) return id
    const hint = `make it with newTaskId('${queue}')`
    throw new TqError('BAD_REQUEST', `id ${text} belongs to another queue; ${hint}`, {
      field: 'id',
    })
  }

  #slotOf(queue: string): number {
    const known = this.#slots.get(queue)
    if (known !== undefined) return known
    if (this.#slots.size >= SLOTS_KEPT_MAX) this.#slots.clear()
    const slot = slotOfQueue(queue)
    this.#slots.set(queue, slot)
    return slot
  }
}

function tooLarge(bytes: number): TqError {
  const max = limits.PAYLOAD_BYTES_MAX
  const text = `the payload has ${bytes} bytes; at most ${max} are allowed, keep bigger data in a store`
  return new TqError('TOO_LARGE', text, { field: 'payload', bytes, bytesMax: max })
}

/** Nodes of a value and an upper bound of its bytes. */
function costOf(value: unknown): { readonly bytes: number; readonly nodes: number } {
  if (typeof value === 'string') return { bytes: value.length * 3 + 5, nodes: 1 }
  if (typeof value !== 'object' || value === null) return { bytes: 9, nodes: 1 }
  let bytes = 5
  let nodes = 1
  for (const [key, child] of Object.entries(value)) {
    if (child === undefined) continue
    const cost = costOf(child)
    bytes += cost.bytes + key.length * 3 + 5
    nodes += cost.nodes + 1
  }
  return { bytes, nodes }
}
