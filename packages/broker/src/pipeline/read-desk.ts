// Answers that change nothing: get, wait, list, stats, workers, startup-log. Only what is durable.

import {
  type BrokerHealth,
  type HistoryChapter,
  type QueueStats,
  type ReplyOf,
  type RequestOf,
  type StartupReport,
  type TaskDescription,
  unreachable,
  type WorkerStats,
} from '@tq/core'
import {
  describeEnded,
  describeEngine,
  describeQueue,
  describeTask,
  describeWorker,
} from '../engine/describe.ts'
import { hexOf } from '../engine/held.ts'
import type { Queue } from '../engine/queue.ts'
import type { Row } from '../engine/rows.ts'
import type { EndedTask } from '../engine/fact.ts'
import { FLAG_PURGED } from '../engine/task-table.ts'
import { chapterOfEnd } from '../storage/history-record.ts'
import { readPayloadRecord, type PayloadRecord } from '../storage/payload-record.ts'
import type { Conversation } from './conversation.ts'
import { listTasks } from './list-tasks.ts'
import type { Partition } from './partition.ts'
import { Refusal, refuse } from '../engine/decision.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface ReadDeskParts {
  readonly conversations: ReadonlySet<Conversation>
  readonly parkedOn: (queue: string) => number
  readonly heartbeatMs: number
  readonly version: string
}

export type ReadRequest =
  | RequestOf<'get'>
  | RequestOf<'wait'>
  | RequestOf<'list'>
  | RequestOf<'stats'>
  | RequestOf<'workers'>
  | RequestOf<'startup-log'>

/** Kept terminal tasks of a queue, once they have been counted. */
export type KeptCounts = (queue: Queue) => {
  readonly kept: number | null
  readonly dead: number | null
}

export class ReadDesk {
  readonly #partition: Partition
  readonly #parts: ReadDeskParts
  readonly #waiting: WaitingRoom
  readonly #startedAtMs: number
  #keptCounts: KeptCounts = () => ({ kept: null, dead: null })
  #reports: readonly StartupReport[] = []
  #health: () => BrokerHealth | undefined = () => undefined

  constructor(partition: Partition, parts: ReadDeskParts) {
    this.#partition = partition
    this.#parts = parts
    this.#waiting = new WaitingRoom(partition.world.scheduler)
    this.#startedAtMs = partition.world.clock.monotonicMs()
  }

  /** Who knows how many terminal tasks are kept. */
  countKeptBy(counts: KeptCounts): void {
    this.#keptCounts = counts
  }

  /** Who knows how well the broker does. */
  tellHealthBy(health: () => BrokerHealth | undefined): void {
    this.#health = health
  }

  /** The start-up reports to serve, newest first. */
  publishReports(reports: readonly StartupReport[]): void {
    this.#reports = reports
  }

  get reports(): readonly StartupReport[] {
    return this.#reports
  }

  read(conversation: Conversation, id: number, request: ReadRequest): void {
    switch (request.verb) {
      case 'get':
        this.#get(conversation, id, request)
        return
      case 'wait':
        this.#wait(conversation, id, request)
        return
      case 'list':
        this.#answerLater(conversation, id, () => listTasks(this.#partition, request))
        return
      case 'stats':
        this.#answer(conversation, id, this.#stats(request))
        return
      case 'workers':
        this.#answer(conversation, id, { workers: this.workers() })
        return
      case 'startup-log':
        this.#answer(conversation, id, { reports: this.#reports })
        return
      default:
        unreachable(request)
    }
  }

  /** A task has ended: whoever waits for it hears when that is durable. */
  taskEnded(task: Row): void {
    if (this.#waiting.isEmpty) return
    const waiting = this.#waiting.take(hexOf(this.#partition.state.tasks.id(task)))
    if (waiting.length === 0) return
    const description = describeTask(this.#partition.state, task, this.#partition.now())
    for (const { conversation, requestId } of waiting) {
      this.#answer(conversation, requestId, { done: true, task: description })
    }
  }

  abort(conversation: Conversation, requestId: number): boolean {
    const waiting = this.#waiting.abort(conversation, requestId)
    if (waiting !== undefined) this.#answer(conversation, requestId, { done: false })
    return waiting !== undefined
  }

  leave(conversation: Conversation): void {
    this.#waiting.leave(conversation)
  }

  /** The broker stops: whoever waits hears that nothing has happened yet. */
  close(): void {
    for (const { conversation, requestId } of this.#waiting.all()) {
      this.abort(conversation, requestId)
    }
  }

  queues(name?: string): QueueStats[] {
    const { state } = this.#partition
    const now = this.#partition.now()
    const queues = [...state.queuesByName.values()].filter(
      (queue) => name === undefined || queue.name === name,
    )
    return queues
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((queue) =>
        describeQueue(queue, {
          ...now,
          ...this.#keptCounts(queue),
          waitingClaims: this.#parts.parkedOn(queue.name),
          // All queues with their settings might not fit into one frame.
          withSettings: name !== undefined,
        }),
      )
  }

  workers(): WorkerStats[] {
    const now = this.#partition.now()
    return [...this.#partition.state.sessionsByKey.values()].flatMap(
      (session) => describeWorker(session, now, this.#parts.heartbeatMs) ?? [],
    )
  }

  #stats(request: RequestOf<'stats'>): ReplyOf<'stats'> | Refusal {
    const queues = this.queues(request.queue)
    if (request.queue !== undefined && queues.length === 0) {
      return refuse('NOT_FOUND', `no queue "${request.queue}"`, { queue: request.queue })
    }
    const { state, commits, epoch, world } = this.#partition
    const health = this.#health()
    return {
      queues,
      broker: {
        version: this.#parts.version,
        epoch,
        lsn: commits.durableLsn,
        uptimeMs: Math.round(world.clock.monotonicMs() - this.#startedAtMs),
        ...describeEngine(state),
        connections: this.#parts.conversations.size,
        ...(health === undefined ? {} : { health }),
      },
    }
  }

  #get(conversation: Conversation, id: number, request: RequestOf<'get'>): void {
    this.#answerLater(conversation, id, async () => {
      const task = this.#inMemory(request.id)
      const { state } = this.#partition
      if (task === undefined) return this.#getEnded(request)
      if (state.ends.has(task)) {
        // Memory has its end, but not the last chapter; the disk has all of it.
        await this.#durable()
        return this.#getEnded(request)
      }
      const description = describeTask(state, task, this.#partition.now())
      const chapters = state.tasks.chapters(task)
      const cached = this.#partition.cache.get(state.tasks.payloadPosition(task))
      const record = cached && readPayloadRecord(new Uint8Array(cached))
      await this.#durable()
      return this.#complete(request, { description, chapters, record })
    })
  }

  async #getEnded(request: RequestOf<'get'>): Promise<TaskDescription | Refusal> {
    const ended = (await this.#partition.lookup.ended([request.id])).get(hexOf(request.id))
    if (ended === undefined) return notFound()
    const { chapters } = ended
    const full = await this.#complete(request, {
      description: describeEnded(ended),
      chapters,
      record: undefined,
    })
    return { ...full, history: [...(full.history ?? []), chapterOfEnd(ended)] }
  }

  /** Adds what is on disk: payload, headers, history. */
  async #complete(
    request: RequestOf<'get'>,
    known: {
      readonly description: TaskDescription
      readonly chapters: number
      readonly record: PayloadRecord | undefined
    },
  ): Promise<TaskDescription> {
    const { lookup } = this.#partition
    const [records, history] = await Promise.all([
      known.record === undefined ? lookup.payloads([request.id]) : [known.record],
      lookup.history(request.id, known.chapters),
    ])
    const record = records[0]
    const { headers, trace, idempotencyKey } = record?.meta ?? {}
    return {
      ...known.description,
      ...(headers === undefined ? {} : { headers }),
      ...(trace === undefined ? {} : { trace }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(request.payload && record !== undefined ? { payload: record.payload } : {}),
      ...(history.length === 0 ? {} : { history: history as readonly HistoryChapter[] }),
    }
  }

  #wait(conversation: Conversation, id: number, request: RequestOf<'wait'>): void {
    const { state } = this.#partition
    const task = this.#inMemory(request.id)
    if (task === undefined) {
      this.#answerLater(conversation, id, async () => {
        const ended = await this.#partition.lookup.ended([request.id])
        const found: EndedTask | undefined = ended.get(hexOf(request.id))
        return found === undefined ? notFound() : { done: true, task: describeEnded(found) }
      })
      return
    }
    if (state.ends.has(task)) {
      const description = describeTask(state, task, this.#partition.now())
      this.#answer(conversation, id, { done: true, task: description })
      return
    }
    if (request.waitMs === 0) {
      this.#answer(conversation, id, { done: false })
      return
    }
    if (!conversation.park(id)) return
    const waiting = { conversation, requestId: id, task: hexOf(request.id) }
    this.#waiting.add(waiting, request.waitMs, () =>
      this.#answer(conversation, id, { done: false }),
    )
  }

  /** The row of a task in memory; a purged one is as good as gone. */
  #inMemory(id: Uint8Array): Row | undefined {
    const { state } = this.#partition
    const task = state.index.find(id)
    return task === undefined || state.tasks.hasFlag(task, FLAG_PURGED) ? undefined : task
  }

  #durable(): Promise<number> {
    return new Promise((resolve) => this.#partition.commits.whenDurable(resolve))
  }

  #answer(conversation: Conversation, id: number, answer: unknown): void {
    this.#partition.commits.whenDurable((lsn) => {
      if (answer instanceof Refusal) {
        conversation.refuse(id, answer.code, answer.message, answer.details)
      } else {
        conversation.reply(id, answer, lsn)
      }
    })
  }

  #answerLater(conversation: Conversation, id: number, answer: () => Promise<unknown>): void {
    void answer().then(
      (value) => this.#answer(conversation, id, value),
      () =>
        conversation.refuse(id, 'UNAVAILABLE', 'the store could not be read', {
          retryAfterMs: 1_000,
        }),
    )
  }
}

function notFound(): Refusal {
  return refuse('NOT_FOUND', 'no such task: it never was, or it ended and was not kept')
}
