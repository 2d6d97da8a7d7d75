// An engine and its reference model side by side: each move is made on both, and both compared.

import type { TaskIdBytes } from '@tq/core'
import { expect } from 'vitest'
import { Refusal } from '../src/engine/decision.ts'
import { NO_ROW } from '../src/engine/rows.ts'
import { FLAG_CANCEL_REQUESTED } from '../src/engine/task-table.ts'
import { anEngine, type EngineRig } from './engine-builder.ts'
import { EngineModel } from './engine-model.ts'
import type { Move } from './engine-moves.ts'
import { isGone, isTerminal, MODEL_LIMITS, type ModelTask, type ModelWish } from './model-task.ts'
import { accepted, aTask } from './task-builder.ts'

/** An engine and its model, side by side. */
export class Pair {
  readonly rig: EngineRig = anEngine({
    workerDeadMs: MODEL_LIMITS.workerDeadMs,
    sessionIdleMs: MODEL_LIMITS.sessionIdleMs,
    queueDefaults: {
      tasksMax: MODEL_LIMITS.tasksMax,
      maxAttempts: MODEL_LIMITS.maxAttempts,
      maxLost: MODEL_LIMITS.maxLost,
      agingMsPerLevel: MODEL_LIMITS.agingMsPerLevel,
      retry: {
        kind: 'fixed',
        baseMs: MODEL_LIMITS.retryMs,
        factor: 1,
        capMs: MODEL_LIMITS.retryMs,
        jitter: 0,
        notRetryable: [],
      },
    },
  })
  readonly model: EngineModel = new EngineModel(this.rig)
  /** Ids of the tasks by their number in the model. */
  readonly #ids: TaskIdBytes[] = []
  readonly #claims = new Map<string, number>()

  /** Makes a move on both sides; throws if they answer differently or stand differently afterwards. */
  make(move: Move): void {
    const [engine, model] = this.#make(move)
    expect(engine).toEqual(model)
    this.compare()
  }

  #make(move: Move): readonly [engine: unknown, model: unknown] {
    const { rig, model } = this
    switch (move.do) {
      case 'pass':
        model.pass(move.ms)
        return [rig.pass(move.ms).tickMs, model.tickMs]
      case 'enqueue':
        return this.#enqueue(move)
      case 'resend':
        return this.#resend(move.which)
      case 'claim':
        return this.#claim(move)
      case 'start':
      case 'complete':
      case 'release':
      case 'quarantine':
      case 'fail':
        return this.#hold(move)
      case 'heartbeat':
        return this.#heartbeat(move)
      case 'cancel':
      case 'redrive':
      case 'set-priority':
        return this.#operate(move)
      case 'register':
        model.register(move.session, move.hasGpu)
        rig.register(move.session, { labels: { gpu: move.hasGpu } })
        return [true, true]
      case 'leave':
        return [accepted(rig.leave(move.session)).released, model.leave(move.session)]
      case 'pause': {
        const reply = move.isPaused ? rig.pause(move.queue) : rig.resume(move.queue)
        const word = reply instanceof Refusal ? reply.code : reply.changed ? 'changed' : 'same'
        return [word, model.setPaused(move.queue, move.isPaused)]
      }
      case 'order':
        model.setOrder(move.queue, move.order)
        return [
          accepted(rig.setQueue(move.queue, { order: move.order })).settings.order,
          move.order,
        ]
      case 'purge': {
        const reply = rig.purge(move.queue)
        const word = reply instanceof Refusal ? reply.code : `purged ${reply.purged}`
        return [word, model.purge(move.queue)]
      }
      case 'stall':
        rig.pass(move.ms).extendLeases(move.ms)
        model.pass(move.ms)
        model.stall(move.ms)
        return [true, true]
      case 'expire':
        model.expire()
        return [rig.expire(), { more: false }]
      case 'commit':
        rig.commit()
        model.commit()
        return [true, true]
    }
  }

  #enqueue(move: Omit<ModelWish, 'do'>): readonly [unknown, unknown] {
    const { rig, model } = this
    const { priority: urgency, delayMs, ttlMs, timeoutMs, needsGpu, key } = move
    const id = rig.nextId(move.queue)
    const task = aTask({
      id,
      priority: urgency,
      delayMs,
      timeoutMs,
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(needsGpu ? { requires: { gpu: true } } : {}),
      ...(key === undefined ? {} : { idempotencyKey: key }),
    })
    const reply = rig.enqueue(move.queue, [task])
    const wish: ModelWish = {
      queue: move.queue,
      priority: urgency,
      delayMs,
      ttlMs,
      timeoutMs,
      needsGpu,
      key,
    }
    const expected = model.enqueue(wish)
    if (reply instanceof Refusal) return [reply.code, expected]
    if (reply.existing !== undefined) return [`is ${this.#numberOf(reply.ids?.[0])}`, expected]
    this.#ids.push(id)
    return ['new', expected]
  }

  #resend(at: number): readonly [unknown, unknown] {
    const task = this.model.tasks[at % Math.max(1, this.model.tasks.length)]
    if (task === undefined || isGone(task)) return [true, true]
    const reply = this.rig.enqueue(task.queue, [aTask({ id: this.#idOf(task.number) })])
    return [reply, { count: 1, existing: [0] }]
  }

  #claim(move: Extract<Move, { do: 'claim' }>): readonly [unknown, unknown] {
    const { session: name, queues, max, start, leaseMs, minPriority, order } = move
    const last = this.#claims.get(name) ?? 0
    const claim = Math.max(1, last + 1 - move.back) // an earlier number is a claim that is sent again
    this.#claims.set(name, Math.max(last, claim))
    const asked = { session: name, queues, max, start, claim, leaseMs, minPriority, order }
    const claimed = this.rig.lease(asked)
    return [claimed.map(({ id, token }) => [this.#numberOf(id), token]), this.model.claim(asked)]
  }

  /** Mostly a task that somebody holds, sometimes any; mostly under its own token. */
  #pick(move: {
    readonly which: number
    readonly isStale: boolean
  }): { number: number; token: number } | undefined {
    const { tasks } = this.model
    const current = tasks.filter(({ lease }) => lease !== undefined)
    const among = current.length > 0 && move.which % 5 > 0 ? current : tasks
    const task = among[move.which % Math.max(1, among.length)]
    if (task === undefined) return undefined
    const token = task.lease?.token ?? task.endToken ?? 1
    return { number: task.number, token: move.isStale ? Math.max(1, token - 1) : token }
  }

  #hold(
    move: Extract<Move, { do: 'start' | 'complete' | 'release' | 'quarantine' | 'fail' }>,
  ): readonly [unknown, unknown] {
    const { rig, model } = this
    const picked = this.#pick(move)
    if (picked === undefined) return [true, true]
    const { number, token } = picked
    const item = { id: this.#idOf(number), token }
    switch (move.do) {
      case 'start':
        return [verdictOf(rig.start([item])), model.start(number, token)]
      case 'complete':
        return [verdictOf(rig.complete([item])), model.complete(number, token)]
      case 'release':
        return [verdictOf(rig.release([item])), model.release(number, token)]
      case 'quarantine':
        return [verdictOf(rig.quarantine([item])), model.quarantine(number, token)]
      case 'fail': {
        const { retryable, afterMs } = move
        const more = afterMs === undefined ? {} : { retryAfterMs: afterMs }
        const reply = rig.fail([{ ...item, retryable, ...more }])
        const [outcome] = reply.outcomes
        const word = outcome ? `${verdictOf(reply)} ${outcome[0]}` : verdictOf(reply)
        return [word, model.fail(number, token, { retryable, afterMs })]
      }
    }
  }

  #heartbeat(move: Extract<Move, { do: 'heartbeat' }>): readonly [unknown, unknown] {
    const { rig, model } = this
    const own = model.heldBy(move.session)
    const named: ModelTask[] = {
      all: own,
      none: [],
      odd: own.filter((_, index) => index % 2 === 1),
      strange: model.tasks.slice(-4),
    }[move.names]
    const beat = named.map(({ number, lease, endToken }) => ({
      number,
      token: lease?.token ?? endToken ?? 1,
    }))
    const received = move.hasReceived ? (this.#claims.get(move.session) ?? 0) : 0
    const leases = beat.map(({ number, token }) => ({ id: this.#idOf(number), token }))
    const { stop, released } = accepted(rig.heartbeat(leases, { session: move.session, received }))
    const words = stop.map(([id, , reason]) => [this.#numberOf(id), reason])
    return [{ stop: words, released }, model.heartbeat(move.session, beat, received)]
  }

  #operate(
    move: Extract<Move, { do: 'cancel' | 'redrive' | 'set-priority' }>,
  ): readonly [unknown, unknown] {
    const { rig, model } = this
    // Mostly a task on which the verb can do something, sometimes any.
    const apt = model.tasks.filter((task) => isTerminal(task) === (move.do === 'redrive'))
    const among = apt.length > 0 && move.which % 5 > 0 ? apt : model.tasks
    const task = among[move.which % Math.max(1, among.length)]
    if (task === undefined) return [true, true]
    const { number } = task
    const ids = [this.#idOf(number)]
    switch (move.do) {
      case 'cancel': {
        const reply = rig.cancel(ids)
        const [outcome] = reply.outcomes
        const word = outcome ? `${verdictOf(reply)} ${outcome}` : verdictOf(reply)
        return [word, model.cancel(number)]
      }
      case 'redrive':
        return [verdictOf(rig.redrive(ids)), model.redrive(number)]
      case 'set-priority':
        return [
          verdictOf(rig.setPriority(ids, move.priority)),
          model.setPriority(number, move.priority),
        ]
    }
  }

  /** Every task, session and queue stands as the model says. */
  compare(): void {
    const { rig, model } = this
    expect(model.tasks.map(({ number }) => this.#standing(number))).toEqual(
      model.tasks.map(standingOf),
    )
    expect(rig.state.sessionsByKey.size).toBe(model.sessions.size)
    expect([...rig.state.queuesByName.keys()].sort()).toEqual([...model.queues.keys()].sort())
    expect(rig.state.lastToken).toBe(model.lastToken)
  }

  /** All that is compared of a task, as text: cheap to compare, and easy to read when it differs. */
  #standing(number: number): string {
    const { rig } = this
    const id = this.#idOf(number)
    const row = rig.state.index.find(id)
    if (row === undefined) return `${number} ${String(rig.stateOf(id))}, on disk`
    const { tasks, leases } = rig.state
    const lease = tasks.lease(row)
    const flag = tasks.hasFlag(row, FLAG_CANCEL_REQUESTED) ? ', cancel requested' : ''
    const held = lease === NO_ROW ? '' : `, ${leases.token(lease)} until ${leases.endTickMs(lease)}`
    const counts = [
      tasks.priority(row),
      tasks.failures(row),
      tasks.losses(row),
      tasks.generation(row),
    ]
    return `${number} ${tasks.state(row)} ${counts.join(' ')}${flag}${held}`
  }

  #idOf(number: number): TaskIdBytes {
    return this.#ids[number] as TaskIdBytes
  }

  #numberOf(id: TaskIdBytes | undefined): number {
    return this.#ids.findIndex((other) => id !== undefined && Buffer.compare(other, id) === 0)
  }
}

function standingOf(task: ModelTask): string {
  const { number, state, lease, priority: urgency, failures, losses, generation } = task
  if (task.isOnDisk) return `${number} ${isGone(task) ? 'undefined' : state}, on disk`
  const flag = task.isCancelRequested ? ', cancel requested' : ''
  const held = lease === undefined ? '' : `, ${lease.token} until ${lease.end}`
  return `${number} ${state} ${urgency} ${failures} ${losses} ${generation}${flag}${held}`
}

interface ItemsReplyLike {
  readonly ok: number
  readonly already?: readonly number[]
  readonly refused?: readonly (readonly [index: number, code: string, message: string])[]
}

/** The verdict over a request with one item. */
function verdictOf({ ok, already, refused }: ItemsReplyLike): string {
  if (ok === 1) return 'ok'
  return already === undefined ? (refused?.[0]?.[1] ?? 'nothing') : 'already'
}
