// Enqueues of one turn for one queue travel as one request; each caller gets its own answer.

import type { ReplyOf, TaskSpec } from '@tq/core'
import type { Call } from './call.ts'
import type { PreparedTask } from './enqueue-spec.ts'
import { judgeRefusal } from './refused-batch.ts'
import type { Session } from './session.ts'
import { TaskHandle } from './task-handle.ts'

/** Tasks of one gathered request: more would not be cheaper, and one refusal touches them all. */
const BATCH_TASKS_MAX = 500
/** Payload bytes of one gathered request. */
const BATCH_BYTES_MAX = 1024 * 1024
/** MessagePack nodes of one gathered request; a frame may have 64,000. */
const BATCH_NODES_MAX = 50_000

interface Entry {
  readonly spec: TaskSpec & { readonly id: Uint8Array }
  readonly resolve: (handle: TaskHandle) => void
  readonly reject: (error: unknown) => void
}

interface Batch {
  readonly queue: string
  readonly isFresh: boolean
  readonly entries: readonly Entry[]
  readonly bytes: number
}

interface GrowingBatch extends Batch {
  readonly entries: Entry[]
  bytes: number
  nodes: number
}

export class EnqueueBatcher {
  readonly #session: Session
  #gathered: GrowingBatch[] = []
  /** The batch of each queue that may still grow. */
  readonly #growing = new Map<string, GrowingBatch>()

  constructor(session: Session) {
    this.#session = session
  }

  enqueue(queue: string, task: PreparedTask): Promise<TaskHandle> {
    return new Promise((resolve, reject) => {
      const batch = this.#batchFor(queue, task)
      batch.entries.push({ spec: task.spec, resolve, reject })
      batch.bytes += task.bytes
      batch.nodes += task.nodes
    })
  }

  /** Puts what was gathered on its way, so that a later request comes after it. */
  flush(): void {
    const batches = this.#gathered
    this.#gathered = []
    this.#growing.clear()
    for (const batch of batches) this.#send(batch, undefined)
  }

  #batchFor(queue: string, task: PreparedTask): GrowingBatch {
    const growing = this.#growing.get(queue)
    if (growing !== undefined && hasRoom(growing, task)) return growing
    if (this.#gathered.length === 0) this.#session.atTurnEnd(() => this.flush())
    const batch: GrowingBatch = { queue, isFresh: task.isFresh, entries: [], bytes: 0, nodes: 0 }
    this.#growing.set(queue, batch)
    this.#gathered.push(batch)
    return batch
  }

  /** @param sentAtMs When these tasks were sent before, if a batch they were in was refused. */
  #send(batch: Batch, sentAtMs: number | undefined): void {
    const { clock, requestTimeoutMs } = this.#session.settings
    const nowMs = clock.monotonicMs()
    let call: Call | undefined
    call = this.#session.send({
      request: {
        verb: 'enqueue',
        queue: batch.queue,
        tasks: batch.entries.map((entry) => entry.spec),
        fresh: batch.isFresh && sentAtMs === undefined,
        ...(sentAtMs === undefined ? {} : { sentAgoMs: Math.round(nowMs - sentAtMs) }),
      },
      deadlineAtMs: nowMs + requestTimeoutMs,
      bytes: batch.bytes,
      done: (reply: ReplyOf<'enqueue'>) => this.#answer(batch, reply),
      failed: (error) => this.#refuse(batch, error, sentAtMs ?? call?.firstSentAtMs ?? nowMs),
    })
  }

  #answer(batch: Batch, reply: ReplyOf<'enqueue'>): void {
    const existing = reply.existing === undefined ? undefined : new Set(reply.existing)
    batch.entries.forEach((entry, index) => {
      const id = reply.ids?.[index] ?? entry.spec.id
      entry.resolve(new TaskHandle(this.#session, id, existing?.has(index) ?? false))
    })
  }

  #refuse(batch: Batch, error: unknown, sentAtMs: number): void {
    const { refused, again } = judgeRefusal(error, batch.entries)
    for (const entry of refused) entry.reject(error)
    for (const entries of again) this.#send({ ...batch, entries }, sentAtMs)
  }
}

function hasRoom(batch: GrowingBatch, task: PreparedTask): boolean {
  return (
    batch.isFresh === task.isFresh &&
    batch.entries.length < BATCH_TASKS_MAX &&
    batch.bytes + task.bytes <= BATCH_BYTES_MAX &&
    batch.nodes + task.nodes <= BATCH_NODES_MAX
  )
}
