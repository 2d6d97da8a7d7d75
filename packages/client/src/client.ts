// The SDK's client: every verb of the protocol as a method, over one connection that mends itself.

import type {
  BrokerStats,
  Labels,
  QueueSettings,
  QueueStats,
  ReplyOf,
  StartupReport,
  StopOrder,
  TaskError,
  TaskState,
} from '@tq/core'
import { limits, TqError } from '@tq/core'
import { ClaimedTask } from './claimed-task.ts'
import { type ClientOptions, clientSettings } from './client-options.ts'
import { CLIENT_VERSION } from './client-version.ts'
import { EnqueueBatcher } from './enqueue-batch.ts'
import { enqueueMany, enqueueOne } from './enqueue-many.ts'
import { type EnqueueOptions, EnqueueSpecMaker } from './enqueue-spec.ts'
import { itemsAnswer, type ItemsAnswer } from './items-answer.ts'
import { bytesOf } from './opaque-bytes.ts'
import { type CallOptions, Session } from './session.ts'
import type { TaskHandle } from './task-handle.ts'
import { taskIdBytes, taskIdText } from './task-id-text.ts'
import {
  taskInfo,
  type TaskInfo,
  taskListRow,
  type TaskListRow,
  workerInfo,
  type WorkerInfo,
} from './task-info.ts'
import { waitForTask } from './wait-for-task.ts'

/** A task that the caller holds. A {@link ClaimedTask} is one. */
export interface HeldRef {
  readonly id: string
  readonly token: number
}

export interface ClaimOptions {
  /** Most tasks; default 1. */
  readonly max?: number
  /** How long the broker may hold the claim until there is work, in ms; default 0, most 30,000. */
  readonly waitMs?: number
  readonly leaseMs?: number
  /** False: the tasks are only assigned, until `start`. Default true. */
  readonly start?: boolean
  readonly order?: 'round' | 'strict'
  readonly weights?: Readonly<Record<string, number>>
  readonly minPriority?: number
}

export interface ListFilter {
  readonly queue?: string
  readonly state?: TaskState
  readonly type?: string
  /** Rows of a page; default 100, most 1,000. */
  readonly limit?: number
  readonly cursor?: string
}

const CLOSE_MS = 5_000

/**
 * A client of a broker. Requests may be made at once: they wait for the connection, are sent again
 * over the next one if it is lost, and fail with a {@link TqError} when their time is over.
 * Requests that do not wait for each other may be carried out in any order.
 */
export class TqClient {
  /** What it was made with; a worker can be made from it. */
  readonly options: ClientOptions
  readonly #session: Session
  readonly #specs: EnqueueSpecMaker
  readonly #batcher: EnqueueBatcher

  /** @param session Instead of a session of its own; used by the worker. */
  constructor(options: ClientOptions = {}, session?: Session) {
    this.options = options
    this.#session = session ?? new Session(clientSettings(options), {})
    this.#specs = new EnqueueSpecMaker(this.#session.settings)
    this.#batcher = new EnqueueBatcher(this.#session)
  }

  /** True while a broker has accepted the greeting of the current connection. */
  get isConnected(): boolean {
    return this.#session.isConnected
  }

  /** An id for a task of this queue, to be kept before the enqueue so that it can be repeated. */
  newTaskId(queue: string): string {
    return taskIdText(this.#specs.newId(queue))
  }

  /**
   * Enqueues one task; resolves when it is on stable storage. Calls of one turn share a request.
   * @param payload Any plain value (MessagePack), or `OpaqueBytes`.
   * @throws {TqError} TOO_LARGE, CONFLICT, RESOURCE_EXHAUSTED, NO_SPACE, TIMEOUT, …
   */
  enqueue(
    queue: string,
    type: string,
    payload: unknown,
    options?: EnqueueOptions,
  ): Promise<TaskHandle> {
    // Not async: at full speed the extra promise would be a fifth of the cost of the call.
    try {
      const task = this.#specs.make(queue, type, payload, options)
      return options?.call === undefined
        ? this.#batcher.enqueue(queue, task)
        : enqueueOne(this.#session, { queue, call: options.call }, task)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /**
   * Enqueues many tasks, in chunks of up to 1,000; each chunk whole or not at all. On an error,
   * `details.enqueued` tells how many tasks were enqueued before it.
   */
  async enqueueMany(
    queue: string,
    tasks: Iterable<{
      readonly type: string
      readonly payload: unknown
      readonly options?: Omit<EnqueueOptions, 'call'>
    }>,
    call?: CallOptions,
  ): Promise<TaskHandle[]> {
    this.#batcher.flush()
    const make = this.#specs
    const prepare = function* () {
      for (const { type, payload, options } of tasks) yield make.make(queue, type, payload, options)
    }
    return enqueueMany(this.#session, { queue, call }, prepare())
  }

  /**
   * Claims tasks for this session; whoever claims must also send heartbeats. A `TqWorker` does both.
   * An aborted claim still resolves if the broker had leased tasks before it heard of the abort.
   */
  async claim(
    queues: string | readonly string[],
    options: ClaimOptions = {},
    call: CallOptions = {},
  ): Promise<{ readonly tasks: readonly ClaimedTask[]; readonly leaseMs: number }> {
    const { max = 1, waitMs = 0, start = true, order = 'round', ...rest } = options
    const claim = this.#session.claims.next()
    try {
      const names = typeof queues === 'string' ? [queues] : queues
      const reply = await this.#session.request<'claim'>(
        { verb: 'claim', queues: names, max, waitMs, start, order, claim, ...rest },
        { ...call, waitMs },
      )
      return { tasks: reply.tasks.map((wire) => new ClaimedTask(wire)), leaseMs: reply.leaseMs }
    } finally {
      this.#session.claims.close(claim)
    }
  }

  async start(tasks: readonly HeldRef[], call?: CallOptions): Promise<ItemsAnswer> {
    const request = { verb: 'start' as const, tasks: tasks.map(heldTask) }
    return itemsAnswer(await this.#session.request<'start'>(request, call))
  }

  /** Renews the leases named, and gives back those of answered claims that are not named. */
  async heartbeat(
    leases: readonly HeldRef[],
    call?: CallOptions,
  ): Promise<{ readonly stop: readonly StopRef[]; readonly released: number }> {
    const { received } = this.#session.claims
    const request = { verb: 'heartbeat' as const, leases: leases.map(heldTask), received }
    const reply = await this.#session.request<'heartbeat'>(request, call)
    return { stop: (reply.stop ?? []).map(stopRef), released: reply.released ?? 0 }
  }

  async progress(
    tasks: readonly (HeldRef & { readonly percent?: number; readonly note?: string })[],
    call?: CallOptions,
  ): Promise<ItemsAnswer> {
    const items = tasks.map((task) => {
      return { ...heldTask(task), percent: task.percent, note: task.note }
    })
    return itemsAnswer(
      await this.#session.request<'progress'>({ verb: 'progress', tasks: items }, call),
    )
  }

  /** Ends attempts well. A result is any plain value, or `OpaqueBytes`; undefined is none. */
  async complete(
    tasks: readonly (HeldRef & { readonly result?: unknown })[],
    call?: CallOptions,
  ): Promise<ItemsAnswer> {
    const items = tasks.map((task) => {
      const result = task.result === undefined ? undefined : bytesOf(task.result)
      return { ...heldTask(task), result }
    })
    const bytes = items.reduce((sum, item) => sum + (item.result?.length ?? 0), 0)
    return itemsAnswer(
      await this.#session.request<'complete'>(
        { verb: 'complete', tasks: items },
        { ...call, bytes },
      ),
    )
  }

  /** Ends attempts badly; `outcomes` says for each whether the task is retried or dead. */
  async fail(
    tasks: readonly (HeldRef & {
      readonly error: TaskError
      readonly retryable?: boolean
      readonly retryAfterMs?: number
    })[],
    call?: CallOptions,
  ): Promise<ItemsAnswer & Pick<ReplyOf<'fail'>, 'outcomes'>> {
    const items = tasks.map((task) => ({ ...task, ...heldTask(task) }))
    const reply = await this.#session.request<'fail'>({ verb: 'fail', tasks: items }, call)
    return { ...itemsAnswer(reply), outcomes: reply.outcomes }
  }

  /** Gives tasks back unharmed: it costs no attempt. */
  async release(tasks: readonly HeldRef[], call?: CallOptions): Promise<ItemsAnswer> {
    const request = { verb: 'release' as const, tasks: tasks.map(heldTask) }
    return itemsAnswer(await this.#session.request<'release'>(request, call))
  }

  /** Cancels tasks; one that a worker holds is `requested` until the worker confirms. */
  async cancel(
    ids: readonly string[],
    options: { readonly reason?: string } = {},
    call?: CallOptions,
  ): Promise<ItemsAnswer & Pick<ReplyOf<'cancel'>, 'outcomes'>> {
    const reply = await this.#session.request<'cancel'>(
      { verb: 'cancel', ids: ids.map(taskIdBytes), ...options },
      call,
    )
    return { ...itemsAnswer(reply), outcomes: reply.outcomes }
  }

  /** Gives dead, cancelled or expired tasks a new generation. */
  async redrive(ids: readonly string[], call?: CallOptions): Promise<ItemsAnswer> {
    const request = { verb: 'redrive' as const, ids: ids.map(taskIdBytes) }
    return itemsAnswer(await this.#session.request<'redrive'>(request, call))
  }

  async setPriority(
    ids: readonly string[],
    priority: number,
    call?: CallOptions,
  ): Promise<ItemsAnswer> {
    const request = { verb: 'set-priority' as const, ids: ids.map(taskIdBytes), priority }
    return itemsAnswer(await this.#session.request<'set-priority'>(request, call))
  }

  /** One task with its history. `payload: true` adds the payload's bytes; see `decodePayload`. */
  async get(
    id: string,
    options: { readonly payload?: boolean } = {},
    call?: CallOptions,
  ): Promise<TaskInfo> {
    const payload = options.payload ?? false
    const request = { verb: 'get' as const, id: taskIdBytes(id), payload }
    return taskInfo(await this.#session.request<'get'>(request, call))
  }

  /** Resolves when the task has ended, however it ended. `timeoutMs` default: no limit. */
  async wait(id: string, options: CallOptions = {}): Promise<TaskInfo> {
    return taskInfo(await waitForTask(this.#session, taskIdBytes(id), options))
  }

  /** One page of tasks. */
  async list(
    filter: ListFilter = {},
    call?: CallOptions,
  ): Promise<{ readonly tasks: readonly TaskListRow[]; readonly cursor: string | undefined }> {
    const { limit = 100, ...rest } = filter
    const reply = await this.#session.request<'list'>({ verb: 'list', limit, ...rest }, call)
    return { tasks: reply.tasks.map(taskListRow), cursor: reply.cursor ?? undefined }
  }

  /** All pages from the filter's cursor on, row by row. */
  async *listAll(filter: ListFilter = {}, call?: CallOptions): AsyncGenerator<TaskListRow> {
    let page = await this.list({ limit: limits.LIST_ROWS_MAX, ...filter }, call)
    for (;;) {
      yield* page.tasks
      if (page.cursor === undefined) return
      page = await this.list({ limit: limits.LIST_ROWS_MAX, ...filter, cursor: page.cursor }, call)
    }
  }

  async stats(
    queue?: string,
    call?: CallOptions,
  ): Promise<{ readonly queues: readonly QueueStats[]; readonly broker: BrokerStats }> {
    const filter = queue === undefined ? {} : { queue }
    return this.#session.request<'stats'>({ verb: 'stats', ...filter }, call)
  }

  async workers(call?: CallOptions): Promise<readonly WorkerInfo[]> {
    const reply = await this.#session.request<'workers'>({ verb: 'workers' }, call)
    return reply.workers.map(workerInfo)
  }

  /** Changes the settings named and returns all of them. */
  async queueSet(
    queue: string,
    settings: Partial<QueueSettings>,
    call?: CallOptions,
  ): Promise<QueueSettings> {
    const request = { verb: 'queue-set' as const, queue, settings }
    return (await this.#session.request<'queue-set'>(request, call)).settings
  }

  /** Stops handing out tasks of the queue. False: it was paused already. */
  async queuePause(
    queue: string,
    options: { readonly reason?: string } = {},
    call?: CallOptions,
  ): Promise<boolean> {
    const request = { verb: 'queue-pause' as const, queue, ...options }
    return (await this.#session.request<'queue-pause'>(request, call)).changed
  }

  /** False: it was not paused. */
  async queueResume(queue: string, call?: CallOptions): Promise<boolean> {
    const request = { verb: 'queue-resume' as const, queue }
    return (await this.#session.request<'queue-resume'>(request, call)).changed
  }

  /** Removes what waits in the queue now, step by step; yields how many each step removed. */
  async *queuePurge(
    queue: string,
    options: { readonly reason?: string } = {},
    call?: CallOptions,
  ): AsyncGenerator<number> {
    let cursor: string | undefined
    for (;;) {
      const from = cursor === undefined ? {} : { cursor }
      const reply: ReplyOf<'queue-purge'> = await this.#session.request<'queue-purge'>(
        { verb: 'queue-purge', queue, ...options, ...from },
        call,
      )
      yield reply.purged
      if (reply.cursor === null) return
      cursor = reply.cursor
    }
  }

  /**
   * A backup of all that the broker holds, as it is now, piece by piece: together they are the file.
   * It belongs to this connection; over another one it is refused (`NOT_FOUND`), and to be begun anew.
   */
  async *backup(call?: CallOptions): AsyncGenerator<ReplyOf<'backup'>> {
    let cursor: string | undefined
    for (;;) {
      const from = cursor === undefined ? {} : { cursor }
      const reply: ReplyOf<'backup'> = await this.#session.request<'backup'>(
        { verb: 'backup', ...from },
        call,
      )
      yield reply
      if (reply.cursor === null) return
      cursor = reply.cursor
    }
  }

  /** Makes this session a worker of the registry; again after every connection. */
  async register(
    worker: { readonly name: string; readonly labels?: Labels; readonly slots: number },
    call?: CallOptions,
  ): Promise<void> {
    const { name, labels = {}, slots } = worker
    const request = { verb: 'register' as const, name, version: CLIENT_VERSION, labels, slots }
    await this.#session.request<'register'>(request, call)
  }

  /** Takes this session out of the registry; its leases are given back without cost. */
  async leave(call?: CallOptions): Promise<number> {
    return (await this.#session.request<'leave'>({ verb: 'leave' }, call)).released
  }

  /** How the last starts of the broker went, step by step. */
  async startupLog(call?: CallOptions): Promise<readonly StartupReport[]> {
    return (await this.#session.request<'startup-log'>({ verb: 'startup-log' }, call)).reports
  }

  /** The broker's wall clock. */
  async ping(call?: CallOptions): Promise<{ readonly wallMs: number }> {
    return this.#session.request<'ping'>({ verb: 'ping' }, call)
  }

  /** Waits for the requests on their way, 5 s at most by default, and closes the connection. */
  async close(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    await this.#session.close(options.deadlineMs ?? CLOSE_MS)
  }
}

/** An order to stop a task that this session holds. */
export interface StopRef extends HeldRef {
  readonly reason: StopOrder[2]
}

function stopRef([id, token, reason]: StopOrder): StopRef {
  return { id: taskIdText(id), token, reason }
}

function heldTask(ref: HeldRef): { readonly id: Uint8Array; readonly token: number } {
  if (!Number.isSafeInteger(ref.token)) {
    const text = `the token of task ${ref.id} is ${String(ref.token)}; give the one of its claim`
    throw new TqError('BAD_REQUEST', text, { field: 'token' })
  }
  return { id: taskIdBytes(ref.id), token: ref.token }
}
