// What is built is what is recovered, whatever happened before; what cannot be trusted is refused.
import { formatTaskId, limits, type TaskIdBytes } from '@tq/core'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { SEED } from '../../test/property.ts'
import { aHistory, play } from '../../test/random-history.ts'
import { dumpState } from '../../test/state-dump.ts'
import { faultsOf } from '../../test/store-check.ts'
import { RUN, StoredEngine } from '../../test/stored-engine.ts'
import { aSession, aTaskId } from '../../test/task-builder.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../engine/queue.ts'
import { DEFAULT_ENGINE_OPTIONS, EngineState } from '../engine/state.ts'
import { JournalWriter } from './journal-record.ts'
import { ENGINE_KEY, journalKey, queueKey, sessionRecordKey, taskKey } from './key.ts'
import { MemoryStore } from './memory-store.ts'
import { StoreError } from './port.ts'
import { recover } from './recovery.ts'
import { encodeEngine } from './registry-record.ts'
import { seal, SEAL_BYTES, sealJson } from './sealed.ts'

let stored: StoredEngine

beforeEach(async () => {
  stored = await StoredEngine.open()
})

describe('recovery', () => {
  it('gives back the state of any history, and the histories after it', async () => {
    const histories = fc.array(aHistory, { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(histories, async (runs) => {
        let running = await StoredEngine.open()
        for (const moves of runs) {
          await play(running, moves)
          // What is due is found out again from its time; all else must be as it was.
          running.expire()
          await running.commit()
          const { state, image, lsn } = running
          expect(faultsOf(image, state, { fromLsn: 1, lsn })).toEqual([])
          const again = await running.reopened()
          again.expire()
          expect(dumpState(again.state)).toEqual(dumpState(state))
          running = again
        }
      }),
      { seed: SEED, numRuns: 60 },
    )
  })

  it('begins an empty store with the first task, queue and commit', async () => {
    const { state } = stored

    expect([state.nextSequence, state.nextQueueNumber, state.tickMs]).toEqual([1, 1, 0])
    expect(state.lastToken).toBe(limits.TOKENS_PER_EPOCH)
    stored.add('mail')
    await stored.commit()
    expect(stored.lsn).toBe(1)
  })

  it('names its steps, and counts what each has found', async () => {
    stored.add('mail')
    stored.add('mail')
    stored.claimOne()
    await stored.commit()
    const steps: [string, Readonly<Record<string, number>>][] = []
    const store = new MemoryStore(stored.image.fork())
    const opened = await store.open()

    await recover(store, opened, {
      state: new EngineState(DEFAULT_ENGINE_OPTIONS),
      run: async (name, step) => {
        const { value, counts } = await step()
        steps.push([name, counts])
        return value
      },
    })

    expect(steps).toEqual([
      ['verify', { commits: 1 }],
      ['load-queues', { queues: 1 }],
      ['load-sessions', { sessions: 1 }],
      ['load-tasks', { tasks: 2, leases: 1 }],
      ['reconcile', { tasks: 2, leases: 1 }],
    ])
  })

  it('gives back what a person set: pause, reason, settings', async () => {
    stored.setQueue('mail', { order: 'strict', retentionCount: 3 })
    stored.pause('mail', 'päuse')
    stored.pause('reports')
    await stored.commit()

    const { queuesByName } = (await stored.reopened()).state

    expect(queuesByName.get('mail')).toMatchObject({
      paused: true,
      pauseReason: 'päuse',
      number: 1,
    })
    expect(queuesByName.get('mail')?.settings).toMatchObject({ order: 'strict', retentionCount: 3 })
    expect(queuesByName.get('reports')).toMatchObject({ paused: true, pauseReason: undefined })
  })

  it('gives a setting that a queue record does not have yet its default', async () => {
    stored.setQueue('mail', { maxAttempts: 2 })
    await stored.commit()
    const queue = stored.state.queuesByName.get('mail')
    const key = queueKey(queue?.slot ?? 0, 1)
    const record = { number: 1, name: 'mail', settings: { maxAttempts: 2 }, paused: false }
    stored.image.tamper(key, sealJson(key, record, 1))

    const { queuesByName } = (await stored.reopened()).state

    expect(queuesByName.get('mail')?.settings).toEqual({
      ...DEFAULT_QUEUE_SETTINGS,
      maxAttempts: 2,
    })
  })

  it('never uses the number of a queue again', async () => {
    stored.add('mail')
    stored.state.nextQueueNumber = 900
    await stored.commit()

    const again = await stored.reopened()
    again.add('reports')

    expect(again.state.queuesByName.get('reports')?.number).toBe(900)
  })

  it('lets the tick clock go on where it was', async () => {
    stored.pass(123_456).tick()
    await stored.commit()

    expect((await stored.reopened()).state.tickMs).toBe(123_456)
  })

  it('has heard of every session at its start: none is dead for the time it was down', async () => {
    stored.register('w1')
    stored.pass(10_000).tick()
    await stored.commit()
    const again = await stored.reopened()

    again.pass(DEFAULT_ENGINE_OPTIONS.workerDeadMs - 1).expire()

    expect(again.state.sessions[0]).toMatchObject({
      lastSeenTickMs: 10_000,
      worker: { name: 'w1' },
    })
  })
})

describe('recovery of leases', () => {
  it('gives each its full time again, and leaves the execution deadline where it is', async () => {
    stored.add('mail', { timeoutMs: 50_000 })
    stored.add('mail')
    const running = stored.claimOne({ leaseMs: 20_000 })
    const assigned = stored.claimOne({ leaseMs: 30_000, start: false })
    stored.pass(9_000).tick()
    await stored.commit()

    const again = await stored.reopened()

    const { leases, tasks, tickMs } = again.state
    const [one, other] = [running, assigned].map(({ id }) => tasks.lease(again.row(id)))
    expect(tickMs).toBe(9_000)
    expect(leases.endTickMs(one as number)).toBe(9_000 + 20_000)
    expect(leases.endTickMs(other as number)).toBe(9_000 + 30_000)
    expect(leases.deadlineTickMs(one as number)).toBe(50_000)
    expect(again.state.deadlines.size).toBe(1)
    again.pass(19_999).expire()
    expect(again.state.tasks.state(again.row(running.id))).toBe('running')
    again.pass(1).expire()
    expect(again.state.tasks.state(again.row(running.id))).toBe('queued')
  })

  it('takes a worker back that comes with the token it had', async () => {
    stored.add('mail')
    const claimed = stored.claimOne()
    await stored.commit()
    const again = await stored.reopened()

    expect(again.complete(claimed)).toEqual({ ok: 1 })
  })

  it('answers a claim that is sent again with the same leases in the same order', async () => {
    for (const priority of [5, 200, 90, 130]) stored.add('mail', { priority })
    const claimed = stored.claim({ max: 4, claim: 2 ** 40 })
    await stored.commit()
    const again = await stored.reopened()

    const repeated = again.claim({ max: 4, claim: 2 ** 40 })

    expect(repeated.map(({ token }) => token)).toEqual(claimed.map(({ token }) => token))
    expect(repeated.map(({ priority }) => priority)).toEqual([200, 130, 90, 5])
  })

  it('remembers who asked to cancel a held task, and why', async () => {
    stored.add('mail')
    const claimed = stored.claimOne()
    stored.cancel(claimed.id, 'nö')
    await stored.commit()
    const again = await stored.reopened()

    expect(again.complete(claimed)).toMatchObject({ ok: 0 })
    again.release(claimed)

    expect([...again.state.ends.values()]).toMatchObject([{ state: 'cancelled', note: 'nö' }])
  })
})

describe('recovery of tokens', () => {
  async function nextToken(from: StoredEngine): Promise<number> {
    from.add('mail')
    const { token } = from.claimOne()
    await from.commit()
    return token
  }

  it('goes on above every token that was given, epoch by epoch', async () => {
    expect(await nextToken(stored)).toBe(1 * 2 ** 32 + 1)
    expect(await nextToken(stored)).toBe(1 * 2 ** 32 + 2)
    expect(await nextToken(await stored.reopened())).toBe(2 * 2 ** 32 + 1)
  })

  it('goes on above tokens that ran into the next epoch', async () => {
    stored.state.lastToken = 3 * 2 ** 32 - 1
    expect(await nextToken(stored)).toBe(3 * 2 ** 32)

    expect(await nextToken(await stored.reopened())).toBe(4 * 2 ** 32 + 1)
  })

  it('goes on above a lease that is younger than the counters', async () => {
    stored.state.lastToken = 9 * 2 ** 32
    const token = await nextToken(stored)
    stored.image.tamper(ENGINE_KEY, encodeEngine(ENGINE_KEY, { ...FRESH, nextSequence: 2 }))

    const again = new EngineState(DEFAULT_ENGINE_OPTIONS)
    const opened = { ...stored.opened, lsn: stored.lsn }
    await recover(stored.store, opened, { state: again, run: RUN })

    expect(again.lastToken).toBe(token)
  })
})

const FRESH = {
  tickMs: 0,
  wallMs: 0,
  lastToken: 0,
  nextSequence: 1,
  nextQueueNumber: 2,
  verifyFromLsn: 1,
  journalFromLsn: 1,
}

describe('recovery refuses', () => {
  let id: TaskIdBytes

  beforeEach(async () => {
    id = stored.add('mail')
    await stored.commit()
    stored.claimOne()
    await stored.commit()
    for (let commit = 0; commit < 3; commit += 1) {
      stored.add('mail')
      await stored.commit()
    }
  })

  /** Why the next start is refused; fails if it is not. */
  async function refusal(): Promise<StoreError> {
    const error: unknown = await stored.reopened().then(
      () => new Error('it has started'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof StoreError)) throw error
    return error
  }

  function damage(key: Uint8Array): void {
    alter(key, (value) => void (value[SEAL_BYTES] = (value[SEAL_BYTES] ?? 0) ^ 1), false)
  }

  /** Changes a stored value; sealed anew, only its meaning is wrong. */
  function alter(key: Uint8Array, change: (value: Uint8Array) => void, isSealed = true): void {
    const value = stored.image.get(key)
    if (value === undefined) throw new Error('only what is stored can be altered')
    const altered = Uint8Array.from(value)
    change(altered)
    if (isSealed) seal(key, altered, altered[4] ?? 0)
    stored.image.tamper(key, altered)
  }

  /** Takes keys away in a commit that is all right by itself. */
  async function erase(...deleteKeys: Uint8Array[]): Promise<void> {
    stored.lsn += 1
    const key = journalKey(stored.lsn)
    const journal = new JournalWriter(stored.state).take(key)
    const batch = { putKeys: [key], putValues: [journal], deleteKeys }
    await stored.store.commit(stored.opened.ownership, stored.lsn, 1, batch)
  }

  it('a store without the record of its counters', async () => {
    await erase(ENGINE_KEY)

    expect(await refusal()).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('the store is at commit 6 but has no engine record'),
    })
  })

  it('counters that are damaged', async () => {
    damage(ENGINE_KEY)

    expect(await refusal()).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('the engine record is damaged: checksum of key'),
    })
  })

  it.each([
    [1, 'commit 1 is missing though commit 2 is there'],
    [3, 'commit 3 is missing though commit 4 is there'],
    [5, 'commit 5 is missing though commit 6 is there'],
  ])('a journal from which commit %i was lost', async (lsn, message) => {
    await erase(journalKey(lsn))

    expect(await refusal()).toMatchObject({
      code: 'GAP',
      message: expect.stringContaining(message),
    })
  })

  it('a journal that ends before the last commit', async () => {
    stored.lsn += 1
    const batch = { putKeys: [], putValues: [], deleteKeys: [] }
    await stored.store.commit(stored.opened.ownership, stored.lsn, 1, batch)

    expect(await refusal()).toMatchObject({
      code: 'GAP',
      message: expect.stringContaining('commit 6 is missing'),
    })
  })

  it('a damaged journal record among the newest', async () => {
    damage(journalKey(4))

    expect(await refusal()).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('the journal record of commit 4 is damaged'),
    })
  })

  it('a damaged queue, session or task, naming the task', async () => {
    const queue = stored.state.queuesByName.get('mail')
    const keys = {
      'a queue record is damaged': queueKey(queue?.slot ?? 0, 1),
      'a session record is damaged': sessionRecordKey(aSession('w1').id),
      [`the record of task ${formatTaskId(id)} is damaged`]: taskKey('task', id),
    }
    for (const [message, key] of Object.entries(keys)) {
      const intact = stored.image.get(key) ?? new Uint8Array(0)
      damage(key)
      expect(await refusal()).toMatchObject({
        code: 'CORRUPT',
        message: expect.stringContaining(message),
      })
      stored.image.tamper(key, intact)
    }
    await expect(stored.reopened()).resolves.toBeDefined()
  })

  it('a record of a version that it does not know', async () => {
    alter(taskKey('task', id), (value) => void (value[4] = 2))

    expect((await refusal()).message).toContain('has version 2, known are 1 to 1')
  })

  it('a task whose queue does not exist', async () => {
    const queue = stored.state.queuesByName.get('mail')
    await erase(queueKey(queue?.slot ?? 0, 1))

    expect((await refusal()).message).toContain('it names a queue that does not exist')
  })

  it('a task under an id of another queue', async () => {
    const other = aTaskId('reports', 1)
    const value = Uint8Array.from(stored.image.get(taskKey('task', id)) ?? [])
    seal(taskKey('task', other), value, 1)
    stored.builder.put(taskKey('task', other), value)
    await stored.commit()

    expect((await refusal()).message).toContain('its id is not one of queue "mail"')
  })

  it('an ended task among the live ones', async () => {
    alter(taskKey('task', id), (value) => void (value[SEAL_BYTES] = 7))

    expect((await refusal()).message).toContain('a live task is completed')
  })

  it('a lease of a session that does not exist', async () => {
    await erase(sessionRecordKey(aSession('w1').id))

    expect(await refusal()).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('a lease names session 7731'),
    })
  })

  it('nothing because of commits that can not have been in the log any more', async () => {
    stored.verifyFromLsn = 4
    stored.add('mail')
    await stored.commit()
    damage(journalKey(2))
    await erase(journalKey(3))

    await expect(stored.reopened()).resolves.toBeDefined()
  })

  it('nothing because of commits whose journal was let go', async () => {
    stored.journalFromLsn = 3
    stored.add('mail')
    await stored.commit()
    await erase(journalKey(1), journalKey(2))

    await expect(stored.reopened()).resolves.toBeDefined()
  })

  it('to hide a bug of its own behind damage', async () => {
    const bug = new Error('a bug')
    const state = new EngineState(DEFAULT_ENGINE_OPTIONS)
    Object.defineProperty(state, 'profiles', {
      get: () => {
        throw bug
      },
    })
    const store = new MemoryStore(stored.image.fork())

    await expect(recover(store, await store.open(), { state, run: RUN })).rejects.toBe(bug)
  })
})
