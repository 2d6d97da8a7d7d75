// What happened in the golden store: every kind of record, every state, every durable fact.

import { DEFAULT_RETRY, type TaskIdBytes } from '@tq/core'
import { familyRange, journalKey, taskIdOfKey } from '../../src/storage/key.ts'
import type { StoredEngine } from '../stored-engine.ts'

const MINUTE_MS = 60_000

/** The first life of the store: queues, workers, and tasks in every state. */
export async function firstLife(stored: StoredEngine): Promise<void> {
  await setUp(stored)
  await endTasks(stored)
  await fillHistory(stored)
  await loseWorker(stored)
}

/** The second life: what is alive at the end, under tokens of another epoch. */
export async function secondLife(stored: StoredEngine): Promise<void> {
  stored.pass(MINUTE_MS).tick()
  await stored.commit()
  await redrive(stored)
  await leaveLive(stored)
  // The journal's beginning has gone, as after a day.
  stored.journalFromLsn = 3
  stored.verifyFromLsn = 4
  for (const lsn of [1, 2]) stored.builder.delete(journalKey(lsn))
  stored.tick()
  await stored.commit()
}

async function setUp(stored: StoredEngine): Promise<void> {
  stored.setQueue('mail', {
    order: 'strict',
    maxAttempts: 2,
    retry: { ...DEFAULT_RETRY, kind: 'fixed', baseMs: 1_000, notRetryable: ['Bröken'] },
    timeouts: { 'résize*': { kind: 'fixed', ms: 30_000 } },
  })
  stored.setQueue('nothing/kept', { retentionMs: 0, deadRetentionCount: 0 })
  stored.add('images/large', { type: 'résize' })
  stored.pause('images/large', 'no more röom')
  stored.pause('reports')
  stored.resume('reports')
  stored.register('w1', { gpu: true, zone: 'eu' })
  await stored.commit()
}

/** Each way in which a task may end. */
async function endTasks(stored: StoredEngine): Promise<void> {
  stored.add('mail', {
    headers: { 'x-ü': '☃' },
    trace: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    idempotencyKey: 'kéy 1',
    durationHintMs: 1_500,
    sizeHintBytes: 2 ** 40,
    payload: new Uint8Array(20_000).map((_, index) => index % 251),
  })
  stored.complete(stored.claimOne({ session: 'w1' }), Uint8Array.of(0x92, 1, 2))
  stored.add('mail')
  stored.fail(stored.claimOne({ session: 'w1' }), { retryable: false, stack: 'at line 1' })
  stored.cancel(stored.add('mail'), 'not needed – sorry')
  stored.add('mail', { ttlMs: 5_000 })
  await stored.commit()
  stored.pass(5_000).expire()
  stored.add('mail')
  stored.quarantine(stored.claimOne({ session: 'w1' }))
  stored.add('nothing/kept', { idempotencyKey: 'kept longer' })
  stored.complete(stored.claimOne({ session: 'w1', queues: ['nothing/kept'] }))
  await stored.commit()
  stored.add('nothing/kept')
  stored.purge('nothing/kept')
  await stored.commit()
}

/** More attempts than history keeps. */
async function fillHistory(stored: StoredEngine): Promise<void> {
  stored.add('reports', { maxAttempts: 100, priority: 255 })
  for (let attempt = 0; attempt < 36; attempt += 1) {
    stored.release(stored.claimOne({ session: 'w1', queues: ['reports'] }))
    stored.pass(10)
  }
  await stored.commit()
}

/** A worker goes silent with two tasks: one comes back, one has been lost too often. */
async function loseWorker(stored: StoredEngine): Promise<void> {
  stored.register('w9')
  stored.add('reports', { maxLost: 1, type: 'often lost' })
  const queues = ['reports']
  const leaseMs = 10 * MINUTE_MS
  stored.claim({ session: 'w9', queues, max: 2, leaseMs })
  await stored.commit()
  stored.pass(MINUTE_MS).expire()
  await stored.commit()
  stored.register('w8')
  stored.leave('w8')
  await stored.commit()
}

async function redrive(stored: StoredEngine): Promise<void> {
  stored.add('again', { headers: { again: 'yes' } })
  stored.fail(stored.claimOne({ queues: ['again'], session: 'w2' }), { retryable: false })
  await stored.commit()
  for (const id of await endedIds(stored)) {
    const [ended] = (await stored.lookup.ended([id])).values()
    if (ended?.profile.queue.name === 'again') await stored.redrive(id)
  }
  await stored.commit()
}

async function endedIds(stored: StoredEngine): Promise<TaskIdBytes[]> {
  const ids: TaskIdBytes[] = []
  for await (const page of stored.store.load(familyRange('done'), 1_000)) {
    ids.push(...page.map(([key]) => taskIdOfKey(key)))
  }
  return ids
}

/** One task in each state that is not the last. */
async function leaveLive(stored: StoredEngine): Promise<void> {
  stored.register('w1', { gpu: true, zone: 'eu' })
  const queues = ['work']
  const leaseMs = 12 * 3_600_000
  stored.setQueue('work', { agingMsPerLevel: 1_000, tasksMax: 1_000 })
  stored.add('work', { type: 'to retry', maxAttempts: 7, maxLost: 9 })
  stored.fail(stored.claimOne({ session: 'w1', queues }))
  stored.add('work', { type: 'running', timeoutMs: 3_000_000 })
  stored.claimOne({ session: 'w1', queues, leaseMs })
  stored.add('work', { type: 'started later' })
  stored.start(stored.claimOne({ session: 'w1', queues, start: false, leaseMs }))
  stored.add('work', { type: 'assigned', ttlMs: 30 * MINUTE_MS })
  stored.claimOne({ session: 'w2', queues, start: false, claim: 2 ** 33 })
  stored.add('work', { type: 'to cancel' })
  const { id } = stored.claimOne({ session: 'w2', queues })
  stored.cancel(id, 'stöp')
  stored.add('work', { type: 'scheduled', delayMs: 366 * 24 * 3_600_000, priority: 0 })
  stored.add('work', { type: 'may expire', ttlMs: MINUTE_MS, payload: new Uint8Array(0) })
  stored.add('work', { type: 'for few', requires: { zone: 'eu', gpu: true }, timeoutMs: 1 })
  stored.setPriority(stored.add('work', { idempotencyKey: 'kéy 2' }), 200)
  stored.pass(5).tick()
  await stored.commit()
}
