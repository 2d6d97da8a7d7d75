// The journal tells what happened in a commit: in order, in few bytes, without payloads.
import { REASONS, TASK_STATES } from '@tq/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { expectDetected } from '../../test/record-builder.ts'
import { StoredEngine } from '../../test/stored-engine.ts'
import { aSession } from '../../test/task-builder.ts'
import { FACT_KINDS, type FactKind } from '../engine/fact.ts'
import { hexOf } from '../engine/held.ts'
import { NO_ROW } from '../engine/rows.ts'
import { ByteReader } from './byte-reader.ts'
import {
  decodeJournal,
  type JournalEntry,
  type JournalRecord,
  JournalWriter,
} from './journal-record.ts'
import { journalKey } from './key.ts'

const NO_ID = '00'.repeat(16)
let stored: StoredEngine

beforeEach(async () => {
  stored = await StoredEngine.open()
})

/** Commits what was done, and reads its journal record. */
async function committed(): Promise<JournalRecord> {
  await stored.commit()
  const key = journalKey(stored.lsn)
  return decodeJournal(key, stored.image.get(key) ?? new Uint8Array(0))
}

async function entriesOf(kind: FactKind): Promise<JournalEntry[]> {
  return (await committed()).entries.filter(({ code }) => code === FACT_KINDS[kind].code)
}

/** What the one entry of this kind tells as JSON. */
async function toldOf(kind: FactKind): Promise<Record<string, unknown>> {
  const [entry, ...more] = await entriesOf(kind)
  if (entry === undefined || more.length > 0) throw new Error(`there is one entry of ${kind}`)
  return JSON.parse(Buffer.from(entry.rest).toString()) as Record<string, unknown>
}

describe('journal record', () => {
  it('lists the durable facts of a commit in their order, each with its task', async () => {
    const id = stored.add('mail')
    stored.complete(stored.claimOne())

    const { entries } = await committed()

    const kinds = Object.entries(FACT_KINDS).map(([name, { code }]) => [code, name] as const)
    const names = new Map<number, string>(kinds)
    expect(entries.map(({ code }) => names.get(code))).toEqual([
      'queue-created',
      'task-enqueued',
      'session-opened',
      'task-leased',
      'task-ended',
    ])
    expect(entries.map((entry) => hexOf(entry.id))).toEqual([
      NO_ID,
      hexOf(id),
      NO_ID,
      hexOf(id),
      hexOf(id),
    ])
  })

  it('says nothing of ephemeral facts', async () => {
    const id = stored.add('mail', { delayMs: 1_000 })
    await committed()
    stored.pass(1_000).expire()

    expect((await committed()).entries).toEqual([])
    expect(stored.state.tasks.state(stored.row(id))).toBe('queued')
  })

  it('tells when its first fact happened', async () => {
    stored.pass(5_000).add('mail')
    stored.pass(700).add('mail')

    const record = await committed()

    expect(record).toMatchObject({ wallMs: stored.wallMs - 700, tickMs: 5_000 })
  })

  it('packs what every task goes through', async () => {
    stored.add('mail', { type: 'größe', priority: 9, delayMs: 500 })
    const { wallMs, tickMs } = stored
    const [enqueued] = await entriesOf('task-enqueued')
    stored.pass(500).expire()
    const { token } = stored.claimOne({ session: 'w1' })
    const [leased] = await entriesOf('task-leased')

    const first = new ByteReader(enqueued?.rest ?? new Uint8Array(0), 0)
    expect([first.u32(), first.u8(), first.f64(), first.text()]).toEqual([
      1,
      9,
      wallMs + 500,
      'größe',
    ])
    const second = new ByteReader(leased?.rest ?? new Uint8Array(0), 0)
    expect(second.bytes(16)).toEqual(aSession('w1').id)
    expect([second.f64(), second.f64()]).toEqual([token, tickMs + 500 + 3_600_000])
  })

  it('packs an end without words', async () => {
    stored.add('mail')
    const claimed = stored.claimOne()
    stored.complete(claimed, new Uint8Array(1_000))
    const [entry] = await entriesOf('task-ended')

    const reader = new ByteReader(entry?.rest ?? new Uint8Array(0), 0)
    expect(entry?.rest).toHaveLength(10)
    expect([reader.u8(), reader.u8(), reader.f64()]).toEqual([
      TASK_STATES.completed.code,
      REASONS.completed,
      claimed.token,
    ])
  })

  it('packs an end that nobody held with token 0', async () => {
    const id = stored.add('mail')
    stored.cancel(id)
    const [entry] = await entriesOf('task-ended')

    expect(new ByteReader(entry?.rest ?? new Uint8Array(0), 2).f64()).toBe(0)
  })

  it('tells an error without its trace, and the attempt without its row', async () => {
    stored.add('mail')
    stored.fail(stored.claimOne(), { stack: 'at secret.js:1' })

    const told = await toldOf('task-retried')

    expect(told).toMatchObject({
      reason: 'failed',
      error: { message: 'it broke', type: 'Broken' },
      attempt: { attempt: 1, worker: expect.stringMatching(/^session /) },
      actor: 'alice',
    })
    expect(JSON.stringify(told)).not.toMatch(/secret|"session":|"task":|"kind":/)
  })

  it('tells an end with words as JSON, without the result', async () => {
    const id = stored.add('mail')
    stored.cancel(id, 'nö')

    expect(await toldOf('task-ended')).toMatchObject({ state: 'cancelled', note: 'nö' })
  })

  it('tells of a redrive what had ended, without result and profile', async () => {
    const id = stored.add('mail')
    stored.fail(stored.claimOne(), { retryable: false, stack: 'at secret.js:1' })
    await stored.commit()
    await stored.redrive(id)

    const { ended } = await toldOf('task-redriven')

    expect(ended).toMatchObject({
      id: hexOf(id),
      end: { state: 'dead', reason: 'not_retryable', error: { message: 'it broke' } },
    })
    expect(JSON.stringify(ended)).not.toMatch(/secret|profile|result/)
  })

  it('tells of a redrive without an attempt or an error', async () => {
    const id = stored.add('mail')
    stored.cancel(id)
    await stored.commit()
    await stored.redrive(id)

    const { ended } = await toldOf('task-redriven')

    expect(ended).toMatchObject({ end: { state: 'cancelled', actor: 'alice' } })
  })

  it('names sessions by their ids, however their bytes came', async () => {
    const id = Buffer.from(aSession('w9').id)
    const request = { verb: 'register', name: 'w9', version: '1', labels: {}, slots: 1 } as const
    stored.step<'register'>({ kind: 'register', request, session: { id, principal: 'alice' } })
    expect(await toldOf('session-opened')).toMatchObject({ id: hexOf(id), principal: 'alice' })

    stored.leave('w9')
    expect(await toldOf('session-closed')).toMatchObject({ id: hexOf(id), reason: 'left' })
  })

  it('names the worker that was lost', async () => {
    stored.register('w1')
    stored.add('mail')
    stored.claimOne({ leaseMs: 3_600_000 })
    stored.pass(60_000).expire()

    expect(await toldOf('worker-lost')).toMatchObject({
      session: hexOf(aSession('w1').id),
      leases: 1,
    })
  })

  it('keeps what users have named like a field of its own', async () => {
    const labels = { kind: 'gpu', session: 'a', task: 'b', payload: 'c', result: 'd', stack: 'e' }
    stored.register('w1', labels)
    expect(await toldOf('session-opened')).toMatchObject({ worker: { name: 'w1', labels } })

    const policy = { kind: 'fixed', ms: 5 } as const
    stored.setQueue('mail', { timeouts: { task: policy, profile: policy } })
    const { settings } = await toldOf('queue-changed')
    expect(settings).toMatchObject({
      timeouts: { task: policy, profile: policy },
      retry: { kind: 'exponential' },
    })
  })

  it('gives up the words of a fact that are too many for it', async () => {
    const id = stored.add('mail')
    stored.cancel(id, 'x'.repeat(70_000))

    expect(await toldOf('task-ended')).toEqual({})
  })

  it('is told from every damage, and from another commit', async () => {
    stored.add('mail')
    await stored.commit()
    const key = journalKey(stored.lsn)

    expectDetected(key, stored.image.get(key) ?? new Uint8Array(0), decodeJournal)
  })
})

describe('journal record without facts', () => {
  it('tells a time no earlier than that of all records before it', async () => {
    stored.pass(9_000).add('mail')
    const before = await committed()

    stored.builder.delete(Uint8Array.of(6, 0, 0))
    const empty = await committed()

    expect(empty.entries).toEqual([])
    expect(empty.tickMs).toBeGreaterThanOrEqual(before.tickMs)
  })

  it('tells the time even if it is the first after a restart', async () => {
    stored.pass(9_000).add('mail')
    const before = await committed()
    stored = await stored.reopened()

    stored.builder.delete(Uint8Array.of(6, 0, 0))
    const empty = await committed()

    expect(empty.tickMs).toBeGreaterThanOrEqual(before.tickMs)
  })
})

describe('JournalWriter', () => {
  it('counts facts and bytes, and begins anew once they are taken', () => {
    const writer = new JournalWriter(stored.state)
    const now = { wallMs: 1, tickMs: 2 }
    writer.add({ kind: 'clock-ticked', tickMs: 2 }, NO_ROW, now)

    expect(writer.count).toBe(1)
    expect(writer.bytes).toBe(3 + 16 + '{"tickMs":2}'.length)
    expect(decodeJournal(journalKey(1), writer.take(journalKey(1))).entries).toHaveLength(1)
    expect(writer.count).toBe(0)
    expect(writer.bytes).toBe(0)
  })
})
