// Faults come as planned, the same way each time, and never break a batch apart.
import type { Random } from '@tq/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { committedBatch, faultsUpTo } from '../../test/committed-batch.ts'
import { ManualScheduler } from '../../test/manual-scheduler.ts'
import { FaultyStore, NO_FAULTS, type FaultPlan, type Fate } from './faulty-store.ts'
import { MemoryImage } from './memory-image.ts'
import type { CommitOutcome, Opened } from './port.ts'

const ROUGH: FaultPlan = {
  unknownChance: 0.1,
  appliedChance: 0.5,
  commitMsMax: 2,
  stallChance: 0.2,
  stallMsMax: 500,
  readMsMax: 10,
}
let image: MemoryImage
let scheduler: ManualScheduler

beforeEach(() => {
  image = new MemoryImage()
  scheduler = new ManualScheduler()
})

function storeWith(plan: Partial<FaultPlan> = {}, random: Random = seeded(1)): FaultyStore {
  return new FaultyStore(image, { random, scheduler, plan: { ...NO_FAULTS, ...plan } })
}

function commitNext(store: FaultyStore, opened: Opened, lsn: number): Promise<CommitOutcome> {
  const { ownership } = opened
  return store.commit(ownership, lsn, ownership.epoch, committedBatch(lsn, 10))
}

/** A small generator of even numbers: the same seed, the same numbers. */
function seeded(seed: number): Random {
  let state = seed
  const chance = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return { chance, fill: () => {} }
}

/** Lets go of everything that waits for nothing but its turn. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Whether a promise has ended, after everything at hand has. */
async function hasEnded(promise: Promise<unknown>): Promise<boolean> {
  let ended = false
  const end = (): void => void (ended = true)
  promise.then(end, end)
  await settle()
  return ended
}

describe('FaultyStore', () => {
  it.each<[Fate, number]>([
    ['applied', 1],
    ['lost', 0],
  ])('refuses everything after an unknown commit, which was %s', async (fate, lsn) => {
    const store = storeWith()
    const opened = await store.open()

    store.failNextCommit(fate)

    expect(await commitNext(store, opened, 1)).toBe('unknown')
    expect(await commitNext(store, opened, 1)).toBe('unknown')
    await expect(store.getMany([])).rejects.toMatchObject({ code: 'IO' })
    await expect(store.load({ from: anyKey(), to: anyKey() }, 1).next()).rejects.toThrow(/refusing/)
    await store.close()
    const next = storeWith()
    expect((await next.open()).lsn).toBe(lsn)
    expect(await faultsUpTo(next, lsn)).toEqual([])
  })

  it.each<[Fate, number]>([
    ['applied', 1],
    ['lost', 0],
  ])('answers nothing after a crash; the commit in flight was %s', async (fate, lsn) => {
    const store = storeWith({ commitMsMax: 10, readMsMax: 10 })
    const opened = await store.open()
    const commit = commitNext(store, opened, 1)
    const read = store.getMany([anyKey()])
    await settle()

    store.crash(fate)
    scheduler.pass(1_000)

    expect(await hasEnded(commit)).toBe(false)
    expect(await hasEnded(read)).toBe(false)
    expect(await hasEnded(commitNext(store, opened, 1))).toBe(false)
    expect(await hasEnded(store.getMany([]))).toBe(false)
    await store.close()
    const next = storeWith()
    expect((await next.open()).lsn).toBe(lsn)
    expect(await faultsUpTo(next, lsn)).toEqual([])
  })

  it('loses nothing in a crash between commits', async () => {
    const store = storeWith()
    const opened = await store.open()
    await commitNext(store, opened, 1)

    store.crash('lost')

    expect((await storeWith().open()).lsn).toBe(1)
  })

  it('takes the time of the plan, and stalls', async () => {
    const store = storeWith({ commitMsMax: 1, stallChance: 1, stallMsMax: 1_000 }, constant(0.5))
    const opened = await store.open()
    const commit = commitNext(store, opened, 1)

    scheduler.pass(500)
    expect(await hasEnded(commit)).toBe(false)
    scheduler.pass(1)

    expect(await commit).toBe('committed')
  })

  it('is a bug with two commits at once', async () => {
    const store = storeWith({ commitMsMax: 10 })
    const opened = await store.open()
    void commitNext(store, opened, 1)

    await expect(commitNext(store, opened, 2)).rejects.toThrow('one commit at a time')
  })

  it('is fenced by a store that was opened during the commit', async () => {
    const store = storeWith({ commitMsMax: 10 })
    const commit = commitNext(store, await store.open(), 1)
    const other = storeWith()
    await other.open()

    scheduler.pass(10)

    expect(await commit).toBe('fenced')
    expect(await faultsUpTo(other, 0)).toEqual([])
  })

  it('answers reads in another order than they were asked', async () => {
    const draws = [0.9, 0.1]
    const random = { chance: () => draws.shift() ?? 0, fill: () => {} }
    const store = storeWith({ readMsMax: 10 }, random)
    await store.open()
    const order: number[] = []
    void store.getMany([anyKey()]).then(() => order.push(1))
    void store.getMany([anyKey()]).then(() => order.push(2))
    await settle()

    scheduler.pass(5)
    await settle()
    scheduler.pass(5)
    await settle()

    expect(order).toEqual([2, 1])
  })

  it('serves a damaged value until the key is written again', async () => {
    const store = storeWith()
    const opened = await store.open()
    await commitNext(store, opened, 1)
    const [key = anyKey()] = committedBatch(1, 10).putKeys
    const [intact] = await store.getMany([key])

    store.corruptKey(key)

    const [damaged] = await store.getMany([key])
    expect(bitsBetween(intact, damaged)).toBe(1)
    const batch = { putKeys: [key], putValues: [Uint8Array.of(1)], deleteKeys: [] }
    await store.commit(opened.ownership, 2, 1, batch)
    expect(await store.getMany([key])).toEqual([Buffer.of(1)])
    expect(() => store.corruptKey(Uint8Array.of(99))).toThrow('only what is stored')
  })

  it('does the same again for the same seed, and recovers from all of it', async () => {
    const trace = await roughLife(42)

    expect(trace.filter((line) => line.startsWith('unknown')).length).toBeGreaterThan(10)
    expect(await roughLife(42)).toEqual(trace)
    expect(await roughLife(43)).not.toEqual(trace)
  })
})

/** 400 commits with faults; after each unknown one the store is opened anew and looked through. */
async function roughLife(seed: number): Promise<string[]> {
  image = new MemoryImage()
  scheduler = new ManualScheduler()
  const random = seeded(seed)
  const trace: string[] = []
  let store = storeWith(ROUGH, random)
  let opened = await store.open()
  let lsn = opened.lsn
  for (let count = 0; count < 400; count += 1) {
    const commit = commitNext(store, opened, lsn + 1)
    const startMs = scheduler.nowMs
    while (!(await hasEnded(commit))) scheduler.pass(1)
    const outcome = await commit
    trace.push(`${outcome} ${lsn + 1} after ${scheduler.nowMs - startMs}`)
    if (outcome === 'committed') {
      lsn += 1
      continue
    }
    store = storeWith(ROUGH, random)
    opened = await store.open()
    expect([lsn, lsn + 1]).toContain(opened.lsn)
    lsn = opened.lsn
    const looking = faultsUpTo(store, lsn)
    while (!(await hasEnded(looking))) scheduler.pass(10)
    expect(await looking).toEqual([])
  }
  return trace
}

function constant(value: number): Random {
  return { chance: () => value, fill: () => {} }
}

function anyKey(): Uint8Array {
  return Uint8Array.of(1)
}

function bitsBetween(one: Uint8Array | undefined, other: Uint8Array | undefined): number {
  let bits = 0
  for (const [at, byte] of (one ?? new Uint8Array(0)).entries()) {
    const differing = (byte ^ (other?.[at] ?? 0)).toString(2)
    bits += differing.replaceAll('0', '').length
  }
  return bits
}
