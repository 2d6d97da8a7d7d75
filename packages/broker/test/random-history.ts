// Random histories of a broker's work: moves of few numbers, so that a failing one shrinks well.

import type { QueueSettings, TaskIdBytes } from '@tq/core'
import * as fc from 'fast-check'
import { Refusal } from '../src/engine/decision.ts'
import { hexOf } from '../src/engine/held.ts'
import { NO_ROW } from '../src/engine/rows.ts'
import { doneByEndKey, taskKey } from '../src/storage/key.ts'
import { keptHistoryKeys } from '../src/storage/history-record.ts'
import type { StoredEngine } from './stored-engine.ts'
import { aTask, type TaskWish } from './task-builder.ts'

const QUEUES = ['mail', 'images/large', 'reports'] as const
const SESSIONS = ['w1', 'w2', 'w3'] as const
const NOTHING_KEPT = { retentionMs: 0, deadRetentionMs: 0 }
const SETTINGS: readonly Partial<QueueSettings>[] = [
  NOTHING_KEPT,
  { retentionCount: 0 },
  { retentionMs: 3_600_000, retentionCount: 10, deadRetentionMs: 3_600_000 },
  { maxAttempts: 2, maxLost: 1, order: 'strict' },
  {
    maxAttempts: 100,
    maxLost: 100,
    timeouts: { 'r\u00e9sum\u00e9': { kind: 'fixed', ms: 9_000 } },
  },
]
const WISHES: readonly TaskWish[] = [
  {},
  { priority: 255 },
  { priority: 0, delayMs: 5_000 },
  { ttlMs: 8_000 },
  { delayMs: 3_000, ttlMs: 60_000, type: 'r\u00e9sum\u00e9' },
  { requires: { gpu: true, 'gr\u00f6\u00dfe': 3 } },
  { maxAttempts: 100, maxLost: 100, retry: { kind: 'fixed', baseMs: 1_000, jitter: 0 } },
  { headers: { 'x-\u00fc': '\u2603' }, durationHintMs: 10, payload: new Uint8Array(0) },
  { payload: new Uint8Array(3_000).fill(7), timeoutMs: 4_000 },
]

const MOVES = {
  enqueue: (stored, n) => void stored.add(pick(QUEUES, n), WISHES[n % WISHES.length]),
  'enqueue-keyed': (stored, n) => {
    const queue = pick(QUEUES, n)
    const idempotencyKey = `key ${n % 3}`
    const task = aTask({ id: stored.nextId(queue), idempotencyKey })
    return stored.lookup.dedupe(queueOf(stored, queue), [idempotencyKey]).then((keys) =>
      stored.enqueue(queue, [task], {
        ...{ ended: new Map(), journaled: new Set<string>(), untold: new Set<string>() },
        keys,
      }),
    )
  },
  claim: (stored, n) =>
    void stored.claim({ session: pick(SESSIONS, n), queues: QUEUES, max: 1 + (n % 4) }),
  'claim-assigned': (stored, n) =>
    void stored.claim({
      session: pick(SESSIONS, n),
      queues: QUEUES,
      start: false,
      leaseMs: 60_000,
    }),
  start: (stored, n) => withHeld(stored, n, (held) => stored.start(held)),
  complete: (stored, n) =>
    withHeld(stored, n, (held) =>
      stored.complete(held, n % 2 === 0 ? Uint8Array.of(n) : undefined),
    ),
  fail: (stored, n) => withHeld(stored, n, (held) => stored.fail(held, { retryable: n % 5 > 0 })),
  release: (stored, n) => withHeld(stored, n, (held) => stored.release(held)),
  /** Attempt after attempt, until there is more history than is kept. */
  'release-often': (stored, n) => {
    for (let round = 0; round < n % 40; round += 1) {
      const claimed = stored.claim({ queues: QUEUES })[0]
      if (claimed !== undefined) stored.release(claimed)
    }
  },
  cancel: (stored, n) => withLive(stored, n, (id) => stored.cancel(id, 'n\u00f6')),
  redrive: (stored, n) => withEnded(stored, n, (id) => stored.redrive(id)),
  'redrive-cancel': (stored, n) =>
    withEnded(stored, n, async (id) => {
      await stored.redrive(id)
      stored.cancel(id)
    }),
  forget: (stored, n) => withEnded(stored, n, (id) => forget(stored, id)),
  reprioritise: (stored, n) => withLive(stored, n, (id) => stored.setPriority(id, n % 256)),
  quarantine: (stored, n) => withHeld(stored, n, (held) => stored.quarantine(held)),
  register: (stored, n) =>
    stored.register(pick(SESSIONS, n), { gpu: true, 'gr\u00f6\u00dfe': `${n}` }),
  leave: (stored, n) => void stored.leave(pick(SESSIONS, n)),
  'set-queue': (stored, n) => stored.setQueue(pick(QUEUES, n), SETTINGS[n % SETTINGS.length] ?? {}),
  pause: (stored, n) => stored.pause(pick(QUEUES, n), n % 2 === 0 ? 'p\u00e4use' : undefined),
  resume: (stored, n) =>
    stored.state.queuesByName.has(pick(QUEUES, n)) && stored.resume(pick(QUEUES, n)),
  purge: (stored, n) =>
    stored.state.queuesByName.has(pick(QUEUES, n)) && stored.purge(pick(QUEUES, n)),
  pass: (stored, n) => stored.pass((n % 20) * 1_000).expire(),
  'pass-long': (stored, n) => stored.pass((n % 20) * 60_000).expire(),
  tick: (stored) => stored.tick(),
  commit: (stored) => stored.commit(),
} as const satisfies Record<string, (stored: StoredEngine, n: number) => unknown>

export interface Move {
  readonly kind: keyof typeof MOVES
  readonly n: number
}

/** Work first: a history in which nothing was enqueued says little. */
const KINDS: readonly (keyof typeof MOVES)[] = [
  ...(Object.keys(MOVES) as (keyof typeof MOVES)[]),
  ...(['enqueue', 'enqueue', 'enqueue', 'claim', 'claim', 'fail', 'complete', 'commit'] as const),
]

export const aHistory: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.record({ kind: fc.constantFrom(...KINDS), n: fc.nat({ max: 9_999 }) }),
  { maxLength: 120, size: 'max' },
)

/** Plays the moves; what is refused changes nothing. Each commit is made known. */
export async function play(
  stored: StoredEngine,
  moves: readonly Move[],
  onCommitted: () => void = () => undefined,
): Promise<void> {
  for (const { kind, n } of moves) {
    const refused = await MOVES[kind](stored, n)
    if (refused instanceof Refusal && refused.code === 'INTERNAL') throw new Error(refused.message)
    if (kind === 'commit') onCommitted()
  }
}

function pick<T>(from: readonly T[], n: number): T {
  return from[Math.floor(n / 7) % from.length] as T
}

function queueOf(
  stored: StoredEngine,
  name: string,
): { readonly slot: number; readonly number: number } {
  return stored.state.queuesByName.get(name) ?? { slot: 0, number: 0 }
}

function withHeld(
  stored: StoredEngine,
  n: number,
  act: (held: { readonly id: TaskIdBytes; readonly token: number }) => unknown,
): unknown {
  const { tasks, leases } = stored.state
  const rows = liveRows(stored).filter((row) => tasks.lease(row) !== NO_ROW)
  const row = rows[n % Math.max(1, rows.length)]
  if (row === undefined) return undefined
  return act({ id: tasks.id(row), token: leases.token(tasks.lease(row)) })
}

function withLive(stored: StoredEngine, n: number, act: (id: TaskIdBytes) => unknown): unknown {
  const rows = liveRows(stored)
  const row = rows[n % Math.max(1, rows.length)]
  return row === undefined ? undefined : act(stored.state.tasks.id(row))
}

function liveRows({ state }: StoredEngine): number[] {
  const rows = Array.from({ length: state.tasks.rows.end }, (_, row) => row)
  return rows.filter((row) => state.tasks.isUsed(row) && !state.ends.has(row))
}

async function withEnded(
  stored: StoredEngine,
  n: number,
  act: (id: TaskIdBytes) => unknown,
): Promise<unknown> {
  const keys = [...stored.image.entries({ from: Uint8Array.of(3), to: Uint8Array.of(4) })]
  const key = keys[n % Math.max(1, keys.length)]?.[0]
  return key === undefined ? undefined : act(new Uint8Array(key.subarray(3)))
}

/** As retention does it: an ended task goes with all that belongs to it. */
async function forget(stored: StoredEngine, id: TaskIdBytes): Promise<void> {
  const ended = (await stored.lookup.ended([id])).get(hexOf(id))
  if (ended === undefined || stored.row(id) !== NO_ROW) return
  const { profile, end, chapters } = ended
  const { slot, number: queueNumber } = profile.queue
  const endClass = end.state === 'dead' ? 'dead' : 'done'
  stored.builder.delete(doneByEndKey({ slot, queueNumber, endClass, endMs: end.atMs, id }))
  stored.builder.delete(taskKey('done', id))
  stored.builder.delete(taskKey('payload', id))
  for (const key of keptHistoryKeys(id, chapters)) stored.builder.delete(key)
  stored.noteForgotten(hexOf(id))
}
