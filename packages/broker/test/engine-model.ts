// The engine as it would be if only clarity counted: a list of tasks, and every question a scan.

import { compareHeads, type QueueOrder } from '@tq/core'
import {
  MODEL_LIMITS,
  type ModelWish,
  type StopWord,
  end,
  grantOf,
  isGone,
  isTerminal,
  isWaiting,
  type ModelLease,
  type ModelQueue,
  type ModelSession,
  type ModelTask,
} from './model-task.ts'

export class EngineModel {
  wallMs: number
  tickMs: number
  readonly tasks: ModelTask[] = []
  readonly sessions = new Map<string, ModelSession>()
  readonly queues = new Map<string, ModelQueue>()
  lastToken = 0
  #sequence = 0

  constructor(now: { readonly wallMs: number; readonly tickMs: number }) {
    this.wallMs = now.wallMs
    this.tickMs = now.tickMs
  }

  heldBy(session: string): ModelTask[] {
    const held = this.tasks.filter(({ lease }) => lease?.session === session)
    return held.sort((a, b) => (a.lease as ModelLease).token - (b.lease as ModelLease).token)
  }

  pass(ms: number): void {
    this.wallMs += ms
    this.tickMs += ms
  }

  enqueue(wish: ModelWish): string {
    const queue = this.queues.get(wish.queue)
    const request = JSON.stringify(wish)
    const known = wish.key === undefined ? undefined : queue?.keys.get(wish.key)
    if (known !== undefined) return known.request === request ? `is ${known.number}` : 'CONFLICT'
    if (this.#isFull(wish.queue)) return 'RESOURCE_EXHAUSTED'
    const number = this.tasks.length
    if (wish.key !== undefined) this.#queue(wish.queue).keys.set(wish.key, { number, request })
    this.#queue(wish.queue)
    this.#sequence += 1
    this.tasks.push({
      number,
      queue: wish.queue,
      needsGpu: wish.needsGpu,
      timeoutMs: wish.timeoutMs,
      state: wish.delayMs > 0 ? 'scheduled' : 'queued',
      priority: wish.priority,
      rankBaseMs: this.wallMs + wish.delayMs,
      sequence: this.#sequence,
      dueAt: this.wallMs + wish.delayMs,
      expiresAt: wish.ttlMs === undefined ? Infinity : this.wallMs + wish.ttlMs,
      failures: 0,
      losses: 0,
      generation: 0,
      isCancelRequested: false,
      lease: undefined,
      endToken: undefined,
      isPurged: false,
      isOnDisk: false,
    })
    return 'new'
  }

  claim(asked: {
    readonly session: string
    readonly queues: readonly string[]
    readonly max: number
    readonly start: boolean
    readonly claim: number
    readonly leaseMs: number
    readonly minPriority: number
    readonly order: 'round' | 'strict'
  }): [number: number, token: number][] {
    const known = this.sessions.get(asked.session)
    if (known !== undefined) known.seenTick = this.tickMs
    const again = this.heldBy(asked.session).filter(({ lease }) => lease?.claim === asked.claim)
    if (again.length > 0) return again.map(grantOf)
    const eligible = (name: string): ModelTask[] =>
      this.tasks
        .filter((task) => task.queue === name && task.state === 'queued')
        .filter(
          (task) => this.queues.get(name)?.isPaused === false && task.priority >= asked.minPriority,
        )
        .filter((task) => !task.needsGpu || known?.hasGpu === true)
    let names = asked.queues.filter((name) => eligible(name).length > 0)
    if (names.length === 0) return []
    this.#session(asked.session)
    const first = asked.order === 'strict' ? 0 : asked.claim % names.length
    names = [...names.slice(first), ...names.slice(0, first)]
    const granted: ModelTask[] = []
    while (granted.length < asked.max && names.length > 0) {
      const [name, ...others] = names as [string, ...string[]]
      const best = this.#first(eligible(name), name)
      if (best === undefined) {
        names = others
        continue
      }
      this.#lease(best, asked)
      granted.push(best)
      if (asked.order === 'round') names = [...others, name]
    }
    return granted.map(grantOf)
  }

  #first(tasks: readonly ModelTask[], name: string): ModelTask | undefined {
    const kind = this.#queue(name).order
    const order = { kind, agingMsPerLevel: MODEL_LIMITS.agingMsPerLevel }
    return tasks.toSorted((a, b) => compareHeads(a, b, order))[0]
  }

  #lease(
    task: ModelTask,
    asked: Pick<ModelLease, 'session' | 'claim' | 'leaseMs'> & { readonly start: boolean },
  ): void {
    const { session, claim, leaseMs, start } = asked
    this.lastToken += 1
    const token = this.lastToken
    task.lease = { session, token, claim, leaseMs, end: this.tickMs + leaseMs, deadline: Infinity }
    task.state = 'assigned'
    if (start) this.#run(task)
  }

  #run(task: ModelTask): void {
    task.state = 'running'
    task.expiresAt = Infinity
    if (task.lease !== undefined) task.lease.deadline = this.tickMs + task.timeoutMs
  }

  /** Carries out a word of the holder, or tells why not. */
  hold(
    number: number,
    token: number,
    does: (task: ModelTask) => string,
    onEnded: (task: ModelTask) => string,
  ): string {
    const task = this.tasks[number]
    if (task === undefined || isGone(task)) return 'NOT_FOUND'
    if (isTerminal(task)) return task.endToken === token ? onEnded(task) : 'STALE_LEASE'
    return task.lease?.token === token ? does(task) : 'STALE_LEASE'
  }

  start(number: number, token: number): string {
    const does = (task: ModelTask): string => {
      if (task.state === 'running') return 'already'
      if (task.isCancelRequested) return 'INVALID_STATE'
      this.#run(task)
      return 'ok'
    }
    return this.hold(number, token, does, () => 'INVALID_STATE')
  }

  complete(number: number, token: number): string {
    const does = (task: ModelTask): string => {
      if (task.isCancelRequested) return 'INVALID_STATE'
      end(task, 'completed')
      return 'ok'
    }
    const onEnded = ({ state }: ModelTask): string =>
      state === 'completed' ? 'already' : 'INVALID_STATE'
    return this.hold(number, token, does, onEnded)
  }

  release(number: number, token: number): string {
    const does = (task: ModelTask): string => {
      this.#giveBack(task)
      return 'ok'
    }
    const onEnded = ({ state }: ModelTask): string =>
      state === 'cancelled' ? 'already' : 'INVALID_STATE'
    return this.hold(number, token, does, onEnded)
  }

  fail(
    number: number,
    token: number,
    failure: { readonly retryable: boolean; readonly afterMs: number | undefined },
  ): string {
    const does = (task: ModelTask): string => {
      this.#fail(task, failure)
      return `ok ${task.state}`
    }
    const onEnded = ({ state }: ModelTask): string =>
      state === 'completed' ? 'INVALID_STATE' : `already ${state}`
    return this.hold(number, token, does, onEnded)
  }

  quarantine(number: number, token: number): string {
    const does = (task: ModelTask): string => {
      end(task, task.isCancelRequested ? 'cancelled' : 'dead')
      return 'ok'
    }
    const verdict = this.hold(number, token, does, () => 'already')
    return verdict === 'ok' ? 'ok' : 'already'
  }

  #fail(
    task: ModelTask,
    failure: { readonly retryable: boolean; readonly afterMs: number | undefined },
  ): void {
    task.failures += 1
    if (task.isCancelRequested) return end(task, 'cancelled')
    if (!failure.retryable || task.failures >= MODEL_LIMITS.maxAttempts) return end(task, 'dead')
    task.lease = undefined
    task.state = 'retrying'
    task.dueAt = this.tickMs + (failure.afterMs ?? MODEL_LIMITS.retryMs)
  }

  #lose(task: ModelTask): void {
    task.losses += 1
    if (task.isCancelRequested) return end(task, 'cancelled')
    if (task.losses >= MODEL_LIMITS.maxLost) return end(task, 'dead')
    task.lease = undefined
    task.state = 'queued'
  }

  #giveBack(task: ModelTask): void {
    if (task.isCancelRequested) return end(task, 'cancelled')
    task.lease = undefined
    task.state = 'queued'
  }

  heartbeat(
    name: string,
    named: readonly { readonly number: number; readonly token: number }[],
    received: number,
  ): { readonly stop: readonly StopWord[]; readonly released: number } {
    const session = this.sessions.get(name)
    if (session === undefined)
      return { stop: named.map(({ number }) => [number, 'unknown']), released: 0 }
    session.seenTick = this.tickMs
    const stop: StopWord[] = []
    const renewed = new Set<ModelTask>()
    for (const { number, token } of named) {
      const task = this.tasks[number] as ModelTask
      if (task.isOnDisk) stop.push([number, 'unknown'])
      else if (task.lease?.token !== token || task.lease.session !== name)
        stop.push([number, 'lost'])
      else {
        task.lease.end = this.tickMs + task.lease.leaseMs
        renewed.add(task)
        if (task.isCancelRequested) stop.push([number, 'cancelled'])
      }
    }
    const unnamed = this.heldBy(name).filter((task) => !renewed.has(task))
    const lost = unnamed.filter(({ lease }) => (lease as ModelLease).claim <= received)
    for (const { lease } of unnamed)
      if (lease !== undefined) lease.end = this.tickMs + lease.leaseMs
    for (const task of lost) this.#giveBack(task)
    return { stop, released: lost.length }
  }

  cancel(number: number): string {
    const task = this.tasks[number] as ModelTask
    if (isGone(task)) return 'NOT_FOUND'
    if (isTerminal(task)) return task.state === 'cancelled' ? 'already cancelled' : 'INVALID_STATE'
    if (task.lease === undefined) {
      end(task, 'cancelled')
      return 'ok cancelled'
    }
    if (task.isCancelRequested) return 'already requested'
    task.isCancelRequested = true
    return 'ok requested'
  }

  redrive(number: number): string {
    const task = this.tasks[number] as ModelTask
    if (isGone(task)) return 'NOT_FOUND'
    if (!isTerminal(task)) return 'INVALID_STATE'
    if (!task.isOnDisk) return 'UNAVAILABLE'
    if (task.state === 'completed') return 'INVALID_STATE'
    if (this.#isFull(task.queue)) return 'RESOURCE_EXHAUSTED'
    this.#sequence += 1
    const generation = task.generation + 1
    const life = { state: 'queued', rankBaseMs: this.wallMs, sequence: this.#sequence } as const
    const fresh = {
      failures: 0,
      losses: 0,
      expiresAt: Infinity,
      endToken: undefined,
      isOnDisk: false,
    }
    Object.assign(task, life, fresh, { generation })
    return 'ok'
  }

  setPriority(number: number, priority: number): string {
    const task = this.tasks[number] as ModelTask
    if (isGone(task)) return 'NOT_FOUND'
    if (isTerminal(task)) return 'INVALID_STATE'
    if (task.priority === priority) return 'already'
    task.priority = priority
    return 'ok'
  }

  register(name: string, hasGpu: boolean): void {
    Object.assign(this.#session(name), { seenTick: this.tickMs, isWorker: true, hasGpu })
  }

  leave(name: string): number {
    const held = this.heldBy(name)
    for (const task of held) this.#giveBack(task)
    this.sessions.delete(name)
    return held.length
  }

  setPaused(name: string, isPaused: boolean): string {
    if (!isPaused && !this.queues.has(name)) return 'NOT_FOUND'
    const queue = this.#queue(name)
    const isChange = queue.isPaused !== isPaused
    queue.isPaused = isPaused
    return isChange ? 'changed' : 'same'
  }

  setOrder(name: string, order: QueueOrder): void {
    this.#queue(name).order = order
  }

  purge(name: string): string {
    if (!this.queues.has(name)) return 'NOT_FOUND'
    const waiting = this.tasks.filter((task) => task.queue === name && isWaiting(task))
    for (const task of waiting) {
      end(task, 'cancelled')
      task.isPurged = true
    }
    return `purged ${waiting.length}`
  }

  stall(ms: number): void {
    for (const { lease } of this.tasks) {
      if (lease === undefined) continue
      lease.end += ms
      lease.deadline += ms
    }
    for (const session of this.sessions.values()) session.seenTick += ms
  }

  commit(): void {
    for (const task of this.tasks) if (isTerminal(task)) task.isOnDisk = true
  }

  expire(): void {
    for (const task of this.tasks) {
      const nowMs = task.state === 'scheduled' ? this.wallMs : this.tickMs
      const waits = task.state === 'scheduled' || task.state === 'retrying'
      if (waits && task.dueAt <= nowMs) task.state = 'queued'
    }
    for (const task of this.tasks) {
      if (isWaiting(task) && task.expiresAt <= this.wallMs) end(task, 'expired')
    }
    for (const task of this.tasks) {
      if (task.lease === undefined || task.lease.deadline > this.tickMs) continue
      this.#fail(task, { retryable: true, afterMs: undefined })
    }
    for (const task of this.tasks) {
      if (task.lease !== undefined && task.lease.end <= this.tickMs) this.#lose(task)
    }
    for (const [name, session] of this.sessions) {
      const silentMs = this.tickMs - session.seenTick
      if (session.isWorker && silentMs >= MODEL_LIMITS.workerDeadMs) {
        for (const task of this.heldBy(name)) this.#lose(task)
      }
      if (silentMs >= MODEL_LIMITS.sessionIdleMs && this.heldBy(name).length === 0) {
        this.sessions.delete(name)
      }
    }
  }

  #session(name: string): ModelSession {
    const session = this.sessions.get(name) ?? {
      seenTick: this.tickMs,
      isWorker: false,
      hasGpu: false,
    }
    this.sessions.set(name, session)
    return session
  }

  #isFull(queue: string): boolean {
    const live = this.tasks.filter((task) => task.queue === queue && !isTerminal(task))
    return live.length >= MODEL_LIMITS.tasksMax
  }

  #queue(name: string): ModelQueue {
    const queue = this.queues.get(name) ?? { isPaused: false, order: 'aging', keys: new Map() }
    this.queues.set(name, queue)
    return queue
  }
}
