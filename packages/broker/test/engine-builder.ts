// An engine for tests: a manual clock, a disk of maps, and every law checked after each step.

import {
  type Completion,
  type Failure,
  type HeldTask,
  type Labels,
  type Progress,
  type QueueSettings,
  type TaskDescription,
  type TaskIdBytes,
  type TaskSpec,
  type TaskState,
} from '@tq/core'
import type { Command, EndedTasks, EnqueueFindings } from '../src/engine/command.ts'
import type { Claimed } from '../src/engine/decide-claim.ts'
import type { Refusal } from '../src/engine/decision.ts'
import { describeTask } from '../src/engine/describe.ts'
import { type Decisions, Engine } from '../src/engine/engine.ts'
import type { EndedTask, Fact, FactKind } from '../src/engine/fact.ts'
import { hexOf } from '../src/engine/held.ts'
import { checkInvariants } from '../src/engine/invariants.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../src/engine/queue.ts'
import type { Row } from '../src/engine/rows.ts'
import {
  DEFAULT_ENGINE_OPTIONS,
  type EngineOptions,
  type EngineState,
} from '../src/engine/state.ts'
import { FLAG_BORN, FLAG_PURGED } from '../src/engine/task-table.ts'
import {
  accepted,
  aSession,
  aTask,
  aTaskId,
  type ClaimWish,
  endedTaskOf,
  hashOf,
  heldOf,
  type TaskWish,
} from './task-builder.ts'
import { TransitionWatch } from './transition-watch.ts'

export const START_WALL_MS = 1_800_000_000_000
/** Far from the wall clock, so that a mix-up of the two cannot go unseen. */
export const START_TICK_MS = 50_000

export interface EngineWish extends Partial<Omit<EngineOptions, 'queueDefaults'>> {
  readonly queueDefaults?: Partial<QueueSettings>
}

export function anEngine(wish: EngineWish = {}): EngineRig {
  return new EngineRig({
    ...DEFAULT_ENGINE_OPTIONS,
    ...wish,
    queueDefaults: { ...DEFAULT_QUEUE_SETTINGS, ...wish.queueDefaults },
  })
}

/** An engine with a manual clock and a disk of maps; invariants and transitions hold after each step. */
export class EngineRig {
  readonly engine: Engine
  readonly watch = new TransitionWatch()
  wallMs = START_WALL_MS
  tickMs = START_TICK_MS
  /** The chance of the next commands. 0.5 is a retry delay without jitter. */
  chance = 0.5
  actor = 'alice'
  /** What the last step changed. */
  facts: Fact[] = []
  /** Ended tasks that a disk would hold, by the hex text of their ids. */
  readonly ended = new Map<string, EndedTask>()
  /** Dedupe records that a disk would hold, by queue and key. */
  readonly #keys = new Map<string, { readonly id: Uint8Array; readonly hash: Uint8Array }>()
  #idCount = 0
  #claimCount = 0

  constructor(options: EngineOptions) {
    this.engine = new Engine(options, (fact, task) => {
      this.facts.push(fact)
      this.watch.heard(this.state, fact, task)
      if (fact.kind === 'task-redriven') this.ended.delete(hexOf(fact.ended.id))
    })
  }

  get state(): EngineState {
    return this.engine.state
  }

  get factKinds(): FactKind[] {
    return this.facts.map((fact) => fact.kind)
  }

  /** Lets time go by on both clocks. */
  pass(durationMs: number): this {
    this.wallMs += durationMs
    this.tickMs += durationMs
    return this
  }

  step<K extends Command['kind']>(
    command: Extract<Command, { kind: K }>,
    actor: string = this.actor,
  ): Decisions[K] | Refusal {
    this.facts = []
    const { wallMs, tickMs, chance } = this
    const decision = this.engine.step<K>(command, { wallMs, tickMs, chance, actor })
    checkInvariants(this.state)
    this.watch.sweep(this.state)
    return decision
  }

  nextId(queue: string): TaskIdBytes {
    this.#idCount += 1
    return aTaskId(queue, this.#idCount)
  }

  /** Enqueues tasks; the disk is asked about all that is not in memory, unless told otherwise. */
  enqueue(
    queue: string,
    tasks: readonly TaskSpec[],
    findings: Partial<EnqueueFindings> = {},
  ): Decisions['enqueue'] | Refusal {
    const named = tasks.map((task) => ({ ...task, id: task.id ?? this.nextId(queue) }))
    return this.step<'enqueue'>({
      kind: 'enqueue',
      request: { verb: 'enqueue', queue, tasks: named, fresh: false },
      hashes: named.map(hashOf),
      findings: { ...this.#findings(queue, named), ...findings },
    })
  }

  /** Enqueues one task that must be accepted. */
  add(queue: string, wish: TaskWish = {}): TaskIdBytes {
    const id = wish.id ?? this.nextId(queue)
    accepted(this.enqueue(queue, [aTask({ ...wish, id })]))
    return id
  }

  claim(wish: ClaimWish = {}): Decisions['claim'] | Refusal {
    const { session = 'w1', principal, payloadBytesMax = 2 ** 21, ...request } = wish
    this.#claimCount += 1
    return this.step<'claim'>(
      {
        kind: 'claim',
        request: {
          verb: 'claim',
          queues: ['mail'],
          max: 1,
          waitMs: 0,
          start: true,
          claim: this.#claimCount,
          order: 'round',
          ...request,
        },
        session: aSession(session, principal),
        payloadBytesMax,
      },
      principal,
    )
  }

  /** The tasks of a claim that must be accepted. */
  lease(wish: ClaimWish = {}): readonly Claimed[] {
    return accepted(this.claim(wish)).claimed
  }

  /** A claim that must get exactly one task. */
  leaseOne(wish: ClaimWish = {}): Claimed {
    const [claimed, ...more] = this.lease({ max: 1, ...wish })
    if (claimed === undefined || more.length > 0) throw new Error('the claim got no task')
    return claimed
  }

  start(tasks: readonly HeldTask[], actor?: string): Decisions['start'] {
    const request = { verb: 'start', tasks: tasks.map(heldOf) } as const
    return accepted(this.step<'start'>({ kind: 'start', request, ended: this.ended }, actor))
  }

  progress(tasks: readonly Progress[], actor?: string): Decisions['progress'] {
    const request = { verb: 'progress', tasks } as const
    return accepted(this.step<'progress'>({ kind: 'progress', request }, actor))
  }

  complete(
    tasks: readonly (HeldTask & Partial<Completion>)[],
    actor?: string,
  ): Decisions['complete'] {
    const completions = tasks.map(({ id, token, result }) => ({ id, token, result }))
    const request = { verb: 'complete', tasks: completions } as const
    return accepted(this.step<'complete'>({ kind: 'complete', request, ended: this.ended }, actor))
  }

  fail(tasks: readonly (HeldTask & Partial<Failure>)[], actor?: string): Decisions['fail'] {
    const failures = tasks.map(({ id, token, error, retryable, retryAfterMs }) => ({
      id,
      token,
      error: error ?? { message: 'it broke', type: 'Broken' },
      ...(retryable === undefined ? {} : { retryable }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }))
    const request = { verb: 'fail', tasks: failures } as const
    return accepted(this.step<'fail'>({ kind: 'fail', request, ended: this.ended }, actor))
  }

  release(tasks: readonly HeldTask[], actor?: string): Decisions['release'] {
    const request = { verb: 'release', tasks: tasks.map(heldOf) } as const
    return accepted(this.step<'release'>({ kind: 'release', request, ended: this.ended }, actor))
  }

  heartbeat(
    leases: readonly HeldTask[],
    beat: {
      readonly session?: string
      readonly of?: string
      readonly principal?: string
      readonly received?: number
    } = {},
  ): Decisions['heartbeat'] | Refusal {
    const { session = 'w1', of, principal, received = 0 } = beat
    const request = { verb: 'heartbeat', leases: leases.map(heldOf), received } as const
    return this.step<'heartbeat'>(
      {
        kind: 'heartbeat',
        request: of === undefined ? request : { ...request, session: aSession(of).id },
        session: aSession(session, principal),
      },
      principal,
    )
  }

  cancel(ids: readonly TaskIdBytes[], reason?: string): Decisions['cancel'] {
    const request = { verb: 'cancel', ids, ...(reason === undefined ? {} : { reason }) } as const
    return accepted(this.step<'cancel'>({ kind: 'cancel', request, ended: this.ended }))
  }

  redrive(ids: readonly TaskIdBytes[]): Decisions['redrive'] {
    const request = { verb: 'redrive', ids } as const
    return accepted(this.step<'redrive'>({ kind: 'redrive', request, ended: this.ended }))
  }

  setPriority(ids: readonly TaskIdBytes[], priority: number): Decisions['set-priority'] {
    const request = { verb: 'set-priority', ids, priority } as const
    return accepted(this.step<'set-priority'>({ kind: 'set-priority', request, ended: this.ended }))
  }

  register(
    name: string,
    worker: {
      readonly labels?: Labels
      readonly slots?: number
      readonly version?: string
      readonly principal?: string
    } = {},
  ): Decisions['register'] | Refusal {
    const { labels = {}, slots = 4, version = '1.0.0', principal } = worker
    const request = { verb: 'register', name, version, labels, slots } as const
    const session = aSession(name, principal)
    return this.step<'register'>({ kind: 'register', request, session }, principal)
  }

  leave(name: string, principal?: string): Decisions['leave'] | Refusal {
    return this.step<'leave'>({ kind: 'leave', session: aSession(name, principal) }, principal)
  }

  setQueue(queue: string, settings: Partial<QueueSettings>): Decisions['queue-set'] | Refusal {
    const request = { verb: 'queue-set', queue, settings } as const
    return this.step<'queue-set'>({ kind: 'queue-set', request })
  }

  pause(queue: string, reason?: string): Decisions['queue-pause'] | Refusal {
    const request = {
      verb: 'queue-pause',
      queue,
      ...(reason === undefined ? {} : { reason }),
    } as const
    return this.step<'queue-pause'>({ kind: 'queue-pause', request })
  }

  resume(queue: string): Decisions['queue-resume'] | Refusal {
    const request = { verb: 'queue-resume', queue } as const
    return this.step<'queue-resume'>({ kind: 'queue-resume', request })
  }

  purge(
    queue: string,
    wish: { readonly cursor?: string; readonly reason?: string } = {},
  ): Decisions['queue-purge'] | Refusal {
    const request = { verb: 'queue-purge', queue, ...wish } as const
    return this.step<'queue-purge'>({ kind: 'queue-purge', request })
  }

  /** One step of what time brings. */
  expire(): Decisions['expire'] {
    return accepted(this.step<'expire'>({ kind: 'expire' }, 'broker'))
  }

  extendLeases(byMs: number): void {
    this.step<'extend-leases'>({ kind: 'extend-leases', byMs }, 'broker')
  }

  quarantine(tasks: readonly HeldTask[]): Decisions['quarantine'] {
    const command = { kind: 'quarantine', tasks: tasks.map(heldOf) } as const
    return accepted(this.step<'quarantine'>(command, 'broker'))
  }

  /** What a durable commit does to memory: ended tasks and idempotency keys move to the disk. */
  commit(): void {
    const { state } = this
    const gone: Row[] = []
    for (const task of state.takeDirty()) {
      state.tasks.clearFlag(task, FLAG_BORN)
      const end = state.ends.get(task)
      if (end === undefined) continue
      const isKept = !state.tasks.hasFlag(task, FLAG_PURGED)
      if (isKept) this.ended.set(hexOf(state.tasks.id(task)), endedTaskOf(state, task, end))
      gone.push(task)
    }
    this.engine.forget(gone)
    for (const [key, record] of state.pendingKeys) this.#keys.set(key, record)
    state.pendingKeys.clear()
    checkInvariants(state)
  }

  /** The row of a task that is in memory. */
  row(id: TaskIdBytes): Row {
    const row = this.state.index.find(id)
    if (row === undefined) throw new Error('the task is not in memory')
    return row
  }

  task(id: TaskIdBytes): TaskDescription {
    return describeTask(this.state, this.row(id), { wallMs: this.wallMs, tickMs: this.tickMs })
  }

  /** The state of a task in memory or on disk; undefined if there is no trace of it. */
  stateOf(id: TaskIdBytes): TaskState | undefined {
    const row = this.state.index.find(id)
    return row === undefined ? this.ended.get(hexOf(id))?.end.state : this.state.tasks.state(row)
  }

  #findings(queue: string, tasks: readonly TaskSpec[]): EnqueueFindings {
    const number = this.state.queuesByName.get(queue)?.number
    const keys = new Map<string, { readonly id: Uint8Array; readonly hash: Uint8Array }>()
    for (const { options } of tasks) {
      const key = options?.idempotencyKey
      const record = key === undefined ? undefined : this.#keys.get(`${String(number)} ${key}`)
      if (key !== undefined && record !== undefined) keys.set(key, record)
    }
    const ended: EndedTasks = this.ended
    return { ended, journaled: new Set(), untold: new Set(), keys }
  }
}
