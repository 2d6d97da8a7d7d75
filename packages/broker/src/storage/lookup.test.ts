// What is read from disk is what was written; what is damaged is reported and never served.
import type { TaskIdBytes } from '@tq/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { StoredEngine } from '../../test/stored-engine.ts'
import { hexOf } from '../engine/held.ts'
import { dedupeKey, historyKey, journalKey, taskKey } from './key.ts'
import { Lookup } from './lookup.ts'
import { type Store, StoreError } from './port.ts'

let stored: StoredEngine

beforeEach(async () => {
  stored = await StoredEngine.open()
})

/** Flips a bit of a stored value, as a failing disk does. */
function damage(key: Uint8Array): void {
  const value = stored.image.get(key)
  if (value === undefined) throw new Error('only what is stored can be damaged')
  stored.image.tamper(key, value.with(-1, (value.at(-1) ?? 0) ^ 1))
}

/** A store some of whose blocks cannot be read. */
function withUnreadable(keys: readonly Uint8Array[], code: StoreError['code']): Store {
  const unreadable = new Set(keys.map(hexOf))
  const { store } = stored
  return {
    open: () => store.open(),
    load: (range, pageSize) => store.load(range, pageSize),
    commit: (ownership, lsn, epoch, batch) => store.commit(ownership, lsn, epoch, batch),
    reclaim: (hasRoom) => store.reclaim(hasRoom),
    close: () => store.close(),
    getMany: async (wanted) => {
      if (wanted.some((key) => unreadable.has(hexOf(key))))
        throw new StoreError(code, 'a bad block')
      return store.getMany(wanted)
    },
  }
}

describe('Lookup of ended tasks', () => {
  it('finds those that are kept, by their ids', async () => {
    const done = stored.add('mail', { payload: Uint8Array.of(1, 2) })
    stored.complete(stored.claimOne(), Uint8Array.of(9))
    const live = stored.add('mail')
    await stored.commit()

    const found = await stored.lookup.ended([live, done, stored.nextId('mail')])

    expect([...found.keys()]).toEqual([hexOf(done)])
    expect(found.get(hexOf(done))).toMatchObject({
      id: done,
      payloadBytes: 2,
      end: { state: 'completed', result: Uint8Array.of(9), actor: 'alice' },
    })
  })

  it('finds one whose profile no live task has any more', async () => {
    const id = stored.add('mail', { requires: { gpu: true }, maxAttempts: 9 })
    stored.cancel(id)
    await stored.commit()

    const ended = (await stored.lookup.ended([id])).get(hexOf(id))

    expect(stored.state.profiles.size).toBe(0)
    expect(ended?.profile).toMatchObject({ type: 'send', requires: { gpu: true }, maxAttempts: 9 })
  })

  it('does not serve a damaged one, and reports it', async () => {
    const id = stored.add('mail')
    stored.cancel(id)
    await stored.commit()
    damage(taskKey('done', id))

    expect(await stored.lookup.ended([id])).toEqual(new Map())
    expect(stored.damages).toEqual(['done'])
  })
})

describe('Lookup of payloads', () => {
  let ids: TaskIdBytes[]

  beforeEach(async () => {
    ids = [1, 2, 3].map((byte) => stored.add('mail', { payload: Uint8Array.of(byte) }))
    await stored.commit()
  })

  async function payloads(lookup: Lookup = stored.lookup): Promise<(number | undefined)[]> {
    const records = await lookup.payloads(ids)
    return records.map((record) => record?.payload[0])
  }

  it('gives them in the order that is asked for', async () => {
    ids = [ids[2], stored.nextId('mail'), ids[0]] as TaskIdBytes[]

    expect(await payloads()).toEqual([3, undefined, 1])
  })

  it('does not serve a damaged one, and reports it', async () => {
    damage(taskKey('payload', ids[1] as TaskIdBytes))

    expect(await payloads()).toEqual([1, undefined, 3])
    expect(stored.damages).toEqual(['payload'])
  })

  it('serves all others when a block cannot be read', async () => {
    const damages: string[] = []
    const bad = taskKey('payload', ids[1] as TaskIdBytes)
    const lookup = new Lookup(withUnreadable([bad], 'CORRUPT'), stored.state, (what, key) => {
      damages.push(`${what} ${hexOf(key)}`)
    })

    expect(await payloads(lookup)).toEqual([1, undefined, 3])
    expect(damages).toEqual([`block ${hexOf(bad)}`])
  })

  it('fails if the store does not answer at all', async () => {
    const bad = taskKey('payload', ids[1] as TaskIdBytes)
    const lookup = new Lookup(withUnreadable([bad], 'IO'), stored.state, () => undefined)

    await expect(payloads(lookup)).rejects.toMatchObject({ code: 'IO' })
  })
})

describe('Lookup of history', () => {
  async function attemptsOf(id: TaskIdBytes): Promise<number[]> {
    const count = stored.state.tasks.chapters(stored.row(id))
    const chapters = await stored.lookup.history(id, count)
    return chapters.map(({ transitions }) => transitions.at(-1)?.atMs ?? 0)
  }

  async function released(times: number): Promise<TaskIdBytes> {
    const id = stored.add('mail')
    for (let attempt = 1; attempt <= times; attempt += 1) {
      stored.wallMs = attempt
      stored.release(stored.claimOne())
      await stored.commit()
    }
    return id
  }

  it('gives the first chapter and the last 31, oldest first', async () => {
    const id = await released(35)

    expect(await attemptsOf(id)).toEqual([1, ...[...Array(31).keys()].map((index) => index + 5)])
  })

  it('is empty for a task that nobody has held', async () => {
    expect(await attemptsOf(await released(0))).toEqual([])
  })

  it('leaves out what is missing or damaged', async () => {
    const id = await released(4)
    damage(historyKey(id, 1))

    expect(await attemptsOf(id)).toEqual([1, 3, 4])
    expect(await stored.lookup.history(id, 6)).toHaveLength(3)
    expect(stored.damages).toEqual(['history', 'history'])
  })
})

describe('Lookup of idempotency keys', () => {
  it('gives the task and the request that a key belongs to', async () => {
    const id = stored.add('mail', { idempotencyKey: 'kéy' })
    await stored.commit()
    const queue = stored.state.queueOf(stored.row(id))

    const found = await stored.lookup.dedupe(queue, ['kéy', 'other'])

    expect([...found.keys()]).toEqual(['kéy'])
    expect(found.get('kéy')?.id).toEqual(id)
    expect(found.get('kéy')?.hash).toHaveLength(32)
  })

  it('does not take a damaged record for an absent one: the task would be made twice', async () => {
    const id = stored.add('mail', { idempotencyKey: 'key' })
    await stored.commit()
    const queue = stored.state.queueOf(stored.row(id))
    damage(dedupeKey(queue.slot, queue.number, 'key'))

    const finding = stored.lookup.dedupe(queue, ['other', 'key'])

    await expect(finding).rejects.toMatchObject({
      code: 'CORRUPT',
      message: 'the dedupe record of key "key" is damaged',
    })
    expect(stored.damages).toEqual(['dedupe'])
    expect(await stored.lookup.dedupe(queue, ['other'])).toEqual(new Map())
  })
})

describe('Lookup in the journal', () => {
  /** What the journal tells of ids that were sent at this tick or later. */
  async function told(
    ids: readonly TaskIdBytes[],
    sinceTickMs: number,
  ): Promise<{ readonly journaled: string[]; readonly untold: string[] }> {
    const range = { sinceTickMs, fromLsn: stored.journalFromLsn, toLsn: stored.lsn }
    const { journaled, untold } = await stored.lookup.journaled(ids, range)
    return { journaled: [...journaled], untold: [...untold] }
  }

  /** A task that was enqueued, is done, and of which nothing is kept. */
  async function gone(): Promise<TaskIdBytes> {
    stored.setQueue('mail', { retentionMs: 0 })
    const id = stored.add('mail')
    stored.complete(stored.claimOne())
    await stored.commit()
    return id
  }

  it('finds ids of which nothing else is left', async () => {
    const id = await gone()
    const other = stored.nextId('mail')

    expect(await stored.lookup.ended([id])).toEqual(new Map())
    expect(await told([id, other], 0)).toEqual({ journaled: [hexOf(id)], untold: [] })
  })

  it('knows what was never enqueued, if it begins with the first commit', async () => {
    await gone()

    expect(await told([stored.nextId('mail')], -1)).toEqual({ journaled: [], untold: [] })
  })

  it('knows what was not enqueued since, if it reaches back that far', async () => {
    await gone()
    stored.journalFromLsn = 2
    stored.pass(10_000).tick()
    await stored.commit()
    stored.pass(10_000).tick()
    await stored.commit()

    expect(await told([stored.nextId('mail')], 15_000)).toEqual({ journaled: [], untold: [] })
  })

  it('does not know what happened before it begins', async () => {
    const id = await gone()
    stored.journalFromLsn = 2
    stored.pass(10_000).tick()
    await stored.commit()
    const recent = stored.add('mail')
    await stored.commit()

    expect(await told([id, recent], 5_000)).toEqual({
      journaled: [hexOf(recent)],
      untold: [hexOf(id)],
    })
  })

  it('looks into the commit that began before and went on after', async () => {
    await stored.commit()
    stored.pass(1_000).tick()
    stored.setQueue('mail', { retentionMs: 0 })
    stored.pass(5_000)
    const id = stored.add('mail')
    stored.complete(stored.claimOne())
    await stored.commit()
    stored.journalFromLsn = 2

    expect(await told([id], 3_000)).toEqual({ journaled: [hexOf(id)], untold: [] })
  })

  it('is not misled about the time by a commit without facts', async () => {
    stored.pass(50_000)
    const id = await gone()
    stored = await stored.reopened()
    // Retention, or the end of an idempotency key, may be the first that happens after a start.
    stored.builder.delete(dedupeKey(0, 1, 'old'))
    await stored.commit()

    expect(await told([id], 40_000)).toEqual({ journaled: [hexOf(id)], untold: [] })
  })

  it('knows nothing any more once a record is damaged', async () => {
    const id = await gone()
    stored.pass(100).tick()
    await stored.commit()
    damage(journalKey(2))
    const late = stored.add('mail')
    await stored.commit()

    const { journaled, untold } = await told([id, late], 0)
    expect(journaled).toEqual([hexOf(late)])
    expect(untold).toEqual([hexOf(id)])
    expect(stored.damages).toEqual(['journal'])
  })

  it('reads no further than it must', async () => {
    await gone()
    damage(journalKey(1))
    const id = stored.add('mail')
    await stored.commit()

    expect(await told([id], 0)).toEqual({ journaled: [hexOf(id)], untold: [] })
    expect(stored.damages).toEqual([])
  })

  it('goes by enqueues only', async () => {
    const id = await gone()
    stored.journalFromLsn = 2
    const live = stored.add('mail')
    await stored.commit()
    stored.cancel(live)
    await stored.commit()
    stored.journalFromLsn = 3

    expect(await told([id, live], 0)).toEqual({
      journaled: [],
      untold: [hexOf(id), hexOf(live)],
    })
  })

  it('tells when a record was written, unless it is damaged', async () => {
    stored.pass(700).tick()
    await stored.commit()
    const key = journalKey(1)
    expect(stored.lookup.journalTickMs(key, stored.image.get(key) ?? new Uint8Array())).toBe(700)

    damage(key)

    const value = stored.image.get(key) ?? new Uint8Array()
    expect(stored.lookup.journalTickMs(key, value)).toBeUndefined()
    expect(stored.damages).toEqual(['journal'])
  })
})

describe('Lookup', () => {
  it('does not take a bug for damage', async () => {
    const id = stored.add('mail')
    stored.cancel(id)
    await stored.commit()
    const bug = new Error('a bug')
    const state = Object.create(stored.state) as typeof stored.state
    Object.defineProperty(state, 'profiles', {
      get: () => {
        throw bug
      },
    })
    const lookup = new Lookup(stored.store, state, () => undefined)

    await expect(lookup.ended([id])).rejects.toBe(bug)
  })
})
