// The reference model: what the facts so far make of tasks, queues, sessions and keys. Obvious and slow.

import { invariant, type TaskState, unreachable } from '@tq/core'
import type { Fact } from '../../src/engine/fact.ts'
import type { Heard } from './heard.ts'
import type { ModelKey, ModelQueue, ModelSession, ModelTask } from './model-task.ts'

export class Model {
  /** All that there ever were. */
  readonly tasks: Map<string, ModelTask>
  /** Those that have not ended. */
  readonly live: Map<string, ModelTask>
  readonly queues: Map<string, ModelQueue>
  readonly sessions: Map<string, ModelSession>
  /** Sessions that have ever registered as workers. */
  readonly workers: Set<string>
  /** Idempotency keys by queue and key. */
  readonly keys: Map<string, ModelKey>
  nextSequence = 1
  lastToken = 0
  /** By how much stalls have extended leases since the broker started. */
  extendedMs = 0

  constructor(from?: Model) {
    this.tasks = new Map(from?.tasks)
    this.live = new Map(from?.live)
    this.queues = new Map(from?.queues)
    this.sessions = new Map(from?.sessions)
    this.workers = new Set(from?.workers)
    this.keys = new Map(from?.keys)
    this.nextSequence = from?.nextSequence ?? 1
    this.lastToken = from?.lastToken ?? 0
  }

  task(id: string): ModelTask {
    const task = this.tasks.get(id)
    invariant(task !== undefined, `the model knows task ${id}`)
    return task
  }

  queueByNumber(number: number): ModelQueue {
    for (const queue of this.queues.values()) if (queue.number === number) return queue
    throw new Error(`the model knows no queue ${number}`)
  }

  change(id: string, change: Partial<ModelTask>): void {
    this.#set({ ...this.task(id), ...change })
  }

  #set(task: ModelTask): void {
    this.tasks.set(task.id, task)
    if (task.end === undefined) this.live.set(task.id, task)
    else this.live.delete(task.id)
  }

  /** Carries out what a fact says. */
  apply({ fact, id, session, at, event }: Heard): void {
    switch (fact.kind) {
      case 'task-enqueued':
        return this.#enqueue(id, fact, at.monotonicMs)
      case 'task-due': {
        const from = this.task(id).state
        invariant(from === 'scheduled' || from === 'retrying', 'only waiting tasks become due')
        return this.change(id, { state: 'queued', dueFrom: from })
      }
      case 'task-leased': {
        const { token, claim, leaseMs, endTickMs, deadlineTickMs, atMs } = fact
        const isStarted = deadlineTickMs > 0
        const lease = {
          session,
          token,
          claim,
          leaseMs,
          endTickMs,
          deadlineTickMs,
          event,
          extendedMs: 0,
          renewedAtMs: at.monotonicMs,
          assignedAtMs: atMs,
          startedAtMs: isStarted ? atMs : 0,
        }
        this.lastToken = token
        return this.change(id, {
          state: isStarted ? 'running' : 'assigned',
          lease,
          dueFrom: undefined,
          tokens: [...this.task(id).tokens, token],
          ...(isStarted ? { expiresAtMs: 0 } : {}),
        })
      }
      case 'task-started': {
        const { lease } = this.task(id)
        invariant(lease !== undefined, 'only a held task is started')
        const started = { deadlineTickMs: fact.deadlineTickMs, startedAtMs: fact.atMs }
        return this.change(id, {
          state: 'running',
          expiresAtMs: 0,
          lease: { ...lease, ...started },
        })
      }
      case 'task-released':
        return this.#endAttempt(id, { state: 'queued', losses: fact.lost ? 1 : 0 })
      case 'task-retried': {
        this.#endAttempt(id, { state: 'retrying', failures: 1 })
        return this.change(id, { dueAt: fact.dueTickMs })
      }
      case 'task-ended':
        return this.#end(id, fact)
      case 'task-cancel-requested':
        return this.change(id, { cancelRequested: true })
      case 'task-reprioritised':
        return this.change(id, { priority: fact.priority, dueFrom: undefined })
      case 'task-redriven':
        return this.#redrive(id, fact.atMs)
      case 'task-purged':
        this.change(id, { purged: true })
        return this.#end(id, {
          state: 'cancelled',
          reason: 'cancelled',
          atMs: fact.atMs,
          counts: 'nothing',
          attempt: undefined,
          result: undefined,
        })
      case 'queue-created': {
        const { number, name, settings } = fact
        this.queues.set(name, { number, name, settings, paused: false })
        return
      }
      case 'queue-changed': {
        const queue = this.queueByNumber(fact.number)
        this.queues.set(queue.name, { ...queue, settings: fact.settings, paused: fact.paused })
        return
      }
      case 'session-opened': {
        const { principal, worker } = fact
        const known = this.sessions.get(session)
        if (worker !== undefined) this.workers.add(session)
        const isWorker = worker !== undefined || (known?.isWorker ?? false)
        const labels = worker?.labels ?? known?.labels
        this.sessions.set(session, {
          key: session,
          principal,
          isWorker,
          labels,
          seenAtMs: at.monotonicMs,
        })
        return
      }
      case 'session-closed':
        this.sessions.delete(session)
        return
      case 'lease-renewed': {
        const { lease } = this.task(id)
        invariant(lease !== undefined, 'only a lease is renewed')
        const { endTickMs } = fact
        return this.change(id, { lease: { ...lease, endTickMs, renewedAtMs: at.monotonicMs } })
      }
      case 'leases-extended':
        return this.#extend(fact.byMs)
      case 'session-seen': {
        const known = this.sessions.get(session)
        invariant(known !== undefined, 'only a known session is seen')
        this.sessions.set(session, { ...known, seenAtMs: at.monotonicMs })
        return
      }
      case 'worker-lost':
      case 'task-progressed':
      case 'clock-ticked':
        return
      default:
        return unreachable(fact)
    }
  }

  /** The broker started again: each lease has its full time, each session was seen just now. */
  restart(at: { readonly tickMs: number; readonly monotonicMs: number }): void {
    for (const { id, lease } of this.live.values()) {
      if (lease === undefined) continue
      const endTickMs = at.tickMs + lease.leaseMs
      const renewed = { endTickMs, renewedAtMs: at.monotonicMs, extendedMs: 0 }
      this.change(id, { lease: { ...lease, ...renewed } })
    }
    for (const session of this.sessions.values()) {
      this.sessions.set(session.key, { ...session, seenAtMs: at.monotonicMs })
    }
  }

  #enqueue(id: string, fact: Extract<Fact, { kind: 'task-enqueued' }>, monotonicMs: number): void {
    const { profile, options, requestHash } = fact
    const isDelayed = fact.dueAtMs > 0
    this.#set({
      id,
      queue: profile.queue.name,
      type: profile.type,
      payload: fact.payload,
      requires: profile.requires,
      maxAttempts: profile.maxAttempts,
      maxLost: profile.maxLost,
      state: isDelayed ? 'scheduled' : 'queued',
      dueFrom: undefined,
      priority: fact.priority,
      failures: 0,
      losses: 0,
      generation: 0,
      chapters: 0,
      sequence: fact.sequence,
      rankBaseMs: isDelayed ? fact.dueAtMs : fact.atMs,
      dueAt: fact.dueAtMs,
      expiresAtMs: fact.expiresAtMs,
      createdAtMs: fact.atMs,
      timeoutMs: fact.timeoutMs,
      cancelRequested: false,
      lease: undefined,
      tokens: [],
      end: undefined,
      kept: false,
      purged: false,
    })
    this.nextSequence = fact.sequence + 1
    const key = options?.idempotencyKey
    if (key === undefined || requestHash === undefined) return
    const hash = Buffer.from(requestHash).toString('hex')
    this.keys.set(keyOf(profile.queue.name, key), { id, hash, atMs: fact.atMs, monotonicMs })
  }

  #endAttempt(
    id: string,
    how: { readonly state: TaskState; readonly failures?: number; readonly losses?: number },
  ): void {
    const task = this.task(id)
    this.change(id, {
      state: how.state,
      lease: undefined,
      cancelRequested: false,
      dueFrom: undefined,
      failures: task.failures + (how.failures ?? 0),
      losses: task.losses + (how.losses ?? 0),
      chapters: task.chapters + 1,
    })
  }

  #end(
    id: string,
    fact: Pick<
      Extract<Fact, { kind: 'task-ended' }>,
      'state' | 'reason' | 'atMs' | 'attempt' | 'result' | 'counts'
    >,
  ): void {
    const task = this.task(id)
    const { state, reason, atMs, result, counts } = fact
    this.change(id, {
      state,
      lease: undefined,
      cancelRequested: false,
      dueFrom: undefined,
      failures: task.failures + (counts === 'failure' ? 1 : 0),
      losses: task.losses + (counts === 'loss' ? 1 : 0),
      end: { state, reason, atMs, token: fact.attempt?.token, result },
    })
  }

  #redrive(id: string, atMs: number): void {
    const task = this.task(id)
    this.change(id, {
      state: 'queued',
      end: undefined,
      kept: false,
      failures: 0,
      losses: 0,
      expiresAtMs: 0,
      generation: task.generation + 1,
      chapters: task.chapters + 1,
      rankBaseMs: atMs,
      sequence: this.nextSequence,
    })
    this.nextSequence += 1
  }

  #extend(byMs: number): void {
    this.extendedMs += byMs
    for (const { id, lease } of this.live.values()) {
      if (lease === undefined) continue
      const { endTickMs, deadlineTickMs } = lease
      this.change(id, {
        lease: {
          ...lease,
          endTickMs: endTickMs + byMs,
          deadlineTickMs: deadlineTickMs > 0 ? deadlineTickMs + byMs : 0,
          extendedMs: lease.extendedMs + byMs,
        },
      })
    }
  }
}

export function keyOf(queue: string, idempotencyKey: string): string {
  return `${queue} ${idempotencyKey}`
}
