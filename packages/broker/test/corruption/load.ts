// The fixed load, in generations that each end with a kill: every family of records, old and new values.

import type { TaskIdBytes, TaskOptions, TaskState } from '@tq/core'
import { heldOf, type WireClient } from '../end-to-end/wire-client.ts'
import { type KnownTask, KnownTaskMaker, LOAD_WALL_MS, resultOf } from './known-task.ts'

/** Each generation of the broker leaves one more table file behind; the last leaves its log. */
export const GENERATIONS = 4
const TAIL_TASKS = 8
const HOUR_MS = 3_600_000

/** A task whose enqueue was acknowledged, and the state that was acknowledged last. */
export interface Promised {
  /** Hexadecimal; payload and result follow from it. */
  readonly id: string
  readonly queue: string
  readonly type: string
  readonly state: TaskState
  readonly idempotencyKey?: string
  /** The commit of its enqueue, for tasks of the tail; 0 if it is long durable. */
  readonly lsn: number
}

export class Ledger {
  readonly #promised: Map<string, Promised>

  constructor(promised: readonly Promised[]) {
    this.#promised = new Map(promised.map((one) => [one.id, one]))
  }

  get all(): readonly Promised[] {
    return [...this.#promised.values()]
  }

  promise(tasks: readonly KnownTask[], state: TaskState, lsn = 0): void {
    for (const { queue, spec } of tasks) {
      const { type, options } = spec
      const id = hexOf(spec.id)
      const key = options?.idempotencyKey
      const keyed = key === undefined ? {} : { idempotencyKey: key }
      this.#promised.set(id, { id, queue, type, state, lsn, ...keyed })
    }
  }

  become(ids: readonly TaskIdBytes[], state: TaskState): void {
    for (const id of ids.map(hexOf)) {
      const before = this.#promised.get(id)
      if (before !== undefined) this.#promised.set(id, { ...before, state })
    }
  }

  forgetQueue(queue: string): void {
    for (const one of this.all) if (one.queue === queue) this.#promised.delete(one.id)
  }

  /** Ids of tasks in this state, in the order of their enqueue. */
  in(state: TaskState, queue?: string): TaskIdBytes[] {
    return this.all
      .filter((one) => one.state === state && (queue === undefined || one.queue === queue))
      .map(({ id }) => bytesOf(id))
  }
}

export interface LoadParts {
  readonly wire: WireClient
  readonly ledger: Ledger
  /** Resolves when the newest commit has been marked. */
  readonly marked: () => Promise<void>
}

/** Runs one generation of the load against a broker. */
export async function runGeneration(generation: number, parts: LoadParts): Promise<void> {
  const maker = new KnownTaskMaker(`g${generation}`, LOAD_WALL_MS + generation * 1_000)
  if (generation === 1) await begin(parts, maker)
  else await goOn(parts, maker, generation)
  if (generation === GENERATIONS) await leaveTail(parts, maker)
}

async function begin({ wire, ledger }: LoadParts, maker: KnownTaskMaker): Promise<void> {
  await wire.ask<'queue-set'>({
    verb: 'queue-set',
    queue: 'alpha',
    settings: { maxAttempts: 7, timeouts: { 'g1-1': { kind: 'fixed', ms: 90_000 } } },
  })
  await wire.ask<'register'>({
    verb: 'register',
    name: 'reader',
    version: '1',
    labels: { zone: 'north', gpu: true },
    slots: 64,
  })
  await put({ wire, ledger }, maker.makeMany('alpha', 24))
  await put({ wire, ledger }, keyed(maker, 'beta', 6))
  await wire.ask<'queue-pause'>({ verb: 'queue-pause', queue: 'beta', reason: 'while we look' })
  await put({ wire, ledger }, maker.makeMany('gamma', 4, { delayMs: 24 * HOUR_MS }), 'scheduled')
  await work({ wire, ledger }, 'alpha')
}

async function goOn(parts: LoadParts, maker: KnownTaskMaker, generation: number): Promise<void> {
  const { wire, ledger } = parts
  await put(parts, maker.makeMany('alpha', 10, OPTIONS))
  await put(parts, keyed(maker, 'gamma', 4))
  await work(parts, 'alpha')
  const waiting = ledger.in('queued', 'alpha')
  const [cancelled, raised] = [waiting.slice(0, 2), waiting.slice(2, 5)]
  await wire.ask<'cancel'>({ verb: 'cancel', ids: cancelled, reason: 'not needed' })
  ledger.become(cancelled, 'cancelled')
  await wire.ask<'set-priority'>({ verb: 'set-priority', ids: raised, priority: 200 })
  const redriven = ledger.in('dead').slice(0, 1)
  await wire.ask<'redrive'>({ verb: 'redrive', ids: redriven })
  ledger.become(redriven, 'queued')
  const asked = ledger.in('running').slice(0, 1)
  await wire.ask<'cancel'>({ verb: 'cancel', ids: asked, reason: 'stop it' })
  const purged = `purged-${generation}`
  await put(parts, maker.makeMany(purged, 3))
  await wire.ask<'queue-purge'>({ verb: 'queue-purge', queue: purged, reason: 'by mistake' })
  ledger.forgetQueue(purged)
}

/** Commits that no mark tells of: the mark follows a second later, and the kill comes first. */
async function leaveTail(parts: LoadParts, maker: KnownTaskMaker): Promise<void> {
  await parts.marked()
  for (let index = 0; index < TAIL_TASKS; index += 1) {
    const tasks = [maker.make('tail')]
    await put(parts, tasks)
    const { broker } = await parts.wire.ask<'stats'>({ verb: 'stats' })
    parts.ledger.promise(tasks, 'queued', broker.lsn)
  }
}

/** Attempts of every end: six complete, two fail and wait, one is dead, one goes back, two stay. */
async function work({ wire, ledger }: Omit<LoadParts, 'marked'>, queue: string): Promise<void> {
  const { tasks } = await wire.claim(queue, { max: 12, leaseMs: 12 * HOUR_MS })
  const held = tasks.map((task) => heldOf(task))
  await wire.ask<'complete'>({
    verb: 'complete',
    tasks: held.slice(0, 6).map(({ id, token }) => ({ id, token, result: resultOf(id) })),
  })
  ledger.become(idsOfHeld(held.slice(0, 6)), 'completed')
  const error = { message: 'no such host', type: 'NetworkError', stack: 'at work' }
  await wire.ask<'fail'>({
    verb: 'fail',
    tasks: [
      ...held.slice(6, 8).map((one) => ({ ...one, error, retryAfterMs: HOUR_MS })),
      ...held.slice(8, 9).map((one) => ({ ...one, error, retryable: false })),
    ],
  })
  ledger.become(idsOfHeld(held.slice(6, 8)), 'retrying')
  ledger.become(idsOfHeld(held.slice(8, 9)), 'dead')
  await wire.ask<'release'>({ verb: 'release', tasks: held.slice(9, 10) })
  ledger.become(idsOfHeld(held.slice(10)), 'running')
}

async function put(
  { wire, ledger }: Omit<LoadParts, 'marked'>,
  tasks: readonly KnownTask[],
  state: TaskState = 'queued',
): Promise<void> {
  const [first] = tasks
  if (first === undefined) return
  const specs = tasks.map(({ spec }) => spec)
  await wire.ask<'enqueue'>({ verb: 'enqueue', queue: first.queue, tasks: specs, fresh: true })
  ledger.promise(tasks, state)
}

const OPTIONS: TaskOptions = {
  priority: 90,
  headers: { tenant: 'north', 'content-type': 'application/octet-stream' },
  trace: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
}

/** What a keyed task is enqueued with, and enqueued again. */
export function keyedOptions(idempotencyKey: string): TaskOptions {
  return { idempotencyKey, priority: 40 }
}

function keyed(maker: KnownTaskMaker, queue: string, count: number): KnownTask[] {
  return maker.makeMany(queue, count).map(({ spec }) => ({
    queue,
    spec: { ...spec, options: keyedOptions(`key-${hexOf(spec.id).slice(-20)}`) },
  }))
}

function idsOfHeld(held: readonly { readonly id: TaskIdBytes }[]): TaskIdBytes[] {
  return held.map(({ id }) => id)
}

export function hexOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
