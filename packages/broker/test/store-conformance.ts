// What every store must do: one suite for LevelDB, memory, and memory with faults.

import { InvariantError } from '@tq/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HEAD_KEY } from '../src/storage/head-record.ts'
import type { Batch, Entry, Store } from '../src/storage/port.ts'
import {
  ALL,
  asText,
  EMPTY,
  firstPage,
  hex,
  keys,
  number,
  puts,
  Session,
  string,
  text,
} from './store-session.ts'

/** One place where a store is kept, on which one store after another is opened. */
export interface StorePlace {
  makeStore(): Store
  dispose(): Promise<void>
}

export interface ConformanceOptions {
  /** Leaves out what only a store with checks for tests can notice: keys given twice. */
  readonly checksKeys: boolean
}

export function runStoreConformance(
  name: string,
  makePlace: () => Promise<StorePlace>,
  options: ConformanceOptions,
): void {
  describe(`${name} keeps the contract of a store`, () => {
    let place: StorePlace
    let stores: Store[]

    beforeEach(async () => {
      place = await makePlace()
      stores = []
    })

    afterEach(async () => {
      for (const store of stores) await store.close()
      await place.dispose()
    })

    const makeStore = (): Store => {
      const store = place.makeStore()
      stores.push(store)
      return store
    }
    const openStore = async (): Promise<Session> => {
      const store = makeStore()
      return new Session(store, await store.open())
    }
    const reopen = async (session: Session): Promise<Session> => {
      await session.store.close()
      return openStore()
    }

    describe('open', () => {
      it('makes a store at epoch 1 with no commit', async () => {
        const { opened } = await openStore()

        expect(opened).toEqual({ ownership: { epoch: 1 }, lsn: 0, created: true })
      })

      it('finds the store again, one epoch later, at its last commit', async () => {
        const first = await openStore()
        await first.put({ a: 'one' })
        await first.put({ b: 'two' })

        const second = await reopen(first)

        expect(second.opened).toEqual({ ownership: { epoch: 2 }, lsn: 2, created: false })
        expect(await second.all()).toEqual({ a: 'one', b: 'two' })
      })

      it('counts an epoch for an open without commits, too', async () => {
        const third = await reopen(await reopen(await openStore()))

        expect(third.opened.ownership.epoch).toBe(3)
        expect(third.opened.lsn).toBe(0)
      })

      it('goes on from the epoch that a commit has recorded', async () => {
        const first = await openStore()
        await first.commit({ ...EMPTY }, 7)
        await first.commit({ ...EMPTY }, 7)

        const second = await reopen(first)

        expect(second.opened.ownership.epoch).toBe(8)
      })

      it('is a bug the second time', async () => {
        const { store } = await openStore()

        await expect((async () => store.open())()).rejects.toThrow(InvariantError)
      })
    })

    describe('commit', () => {
      it('puts, replaces and deletes, all in one', async () => {
        const session = await openStore()
        await session.put({ a: 'one', b: 'two', c: 'three' })

        await session.commit({ ...puts({ b: 'TWO', d: 'four' }), deleteKeys: keys('a', 'c') })

        expect(await session.all()).toEqual({ b: 'TWO', d: 'four' })
      })

      it('takes a delete of what is not there', async () => {
        const session = await openStore()

        expect(await session.commit({ ...EMPTY, deleteKeys: keys('a') })).toBe('committed')
      })

      it('counts a commit without changes', async () => {
        const session = await openStore()

        expect(await session.commit(EMPTY)).toBe('committed')

        expect((await reopen(session)).opened.lsn).toBe(1)
      })

      it('takes empty values and keys of 1 to 1,000 bytes', async () => {
        const session = await openStore()
        const sizes = [1, 2, 3, 19, 64, 255, 256, 1_000]
        const putKeys = sizes.map((size) => new Uint8Array(size).fill(7))
        const putValues = sizes.map((_, index) => new Uint8Array(index))

        await session.commit({ putKeys, putValues, deleteKeys: [] })

        const again = await reopen(session)
        const values = await again.store.getMany(putKeys)
        expect(values.map((value) => value?.length)).toEqual(sizes.map((_, index) => index))
        const listed = (await again.entries(ALL)).map(([key]) => key.length)
        expect(listed).toEqual(sizes)
      })

      it('keeps what it was given, whatever becomes of the buffers', async () => {
        const session = await openStore()
        const batch = puts({ a: 'one' })

        const outcome = session.commit(batch)
        for (const bytes of [...batch.putKeys, ...batch.putValues]) bytes.fill(0)
        await outcome

        expect(await session.all()).toEqual({ a: 'one' })
      })

      it('is fenced under an earlier ownership, and changes nothing', async () => {
        const first = await openStore()
        await first.put({ a: 'one' })
        const second = await reopen(first)

        const { ownership } = first.opened
        expect(await second.store.commit(ownership, 2, 2, puts({ a: 'late' }))).toBe('fenced')

        expect(await second.all()).toEqual({ a: 'one' })
        expect(await second.put({ a: 'two' })).toBe('committed')
      })

      it.each([0, 1, 3])('is a bug with LSN %i after commit 1', async (lsn) => {
        const { store, opened } = await openStore()
        await store.commit(opened.ownership, 1, 1, EMPTY)

        const outcome = store.commit(opened.ownership, lsn, 1, EMPTY)

        await expect(outcome).rejects.toThrow(InvariantError)
      })

      it('is a bug with an epoch below the one recorded last', async () => {
        const session = await openStore()
        await session.commit(EMPTY, 5)

        await expect(session.commit(EMPTY, 4)).rejects.toThrow(InvariantError)
      })

      it('is a bug with more keys than values', async () => {
        const session = await openStore()
        const batch: Batch = { putKeys: keys('a', 'b'), putValues: keys('a'), deleteKeys: [] }

        await expect(session.commit(batch)).rejects.toThrow(InvariantError)
      })

      it.runIf(options.checksKeys)('is a bug with a key given twice, or the head', async () => {
        const session = await openStore()
        const batches: Batch[] = [
          { putKeys: keys('a', 'a'), putValues: keys('1', '2'), deleteKeys: [] },
          { ...puts({ a: '1' }), deleteKeys: keys('a') },
          { ...EMPTY, deleteKeys: [HEAD_KEY] },
          { ...EMPTY, deleteKeys: [new Uint8Array(0)] },
        ]

        for (const batch of batches) {
          await expect(session.commit(batch)).rejects.toThrow(InvariantError)
        }
        expect(await session.all()).toEqual({})
      })
    })

    describe('load', () => {
      const LETTERS = { a: '1', ab: '2', b: '3', c: '4', d: '5' }

      it.each([
        ['from its start to before its end', 'ab', 'd', false, ['ab', 'b', 'c']],
        ['backwards from before its end to its start', 'ab', 'd', true, ['c', 'b', 'ab']],
        ['between keys', 'aa', 'cc', false, ['ab', 'b', 'c']],
        ['nothing where there is nothing', 'e', 'f', false, []],
        ['nothing from a to a', 'a', 'a', false, []],
      ])('gives the range %s', async (_, from, to, reverse, expected) => {
        const session = await openStore()
        await session.put(LETTERS)

        const range = { from: text(from), to: text(to), reverse }

        expect((await session.entries(range)).map(([key]) => string(key))).toEqual(expected)
      })

      it('orders keys as bytes, not as signed numbers or text', async () => {
        const session = await openStore()
        const bytes = [0x00, 0x01, 0x7f, 0x80, 0xc3, 0xfe]
        const putKeys = bytes.toReversed().map((byte) => Uint8Array.of(byte, 9))
        await session.commit({ putKeys, putValues: putKeys, deleteKeys: [] })

        const listed = await session.entries(ALL)

        expect(listed.map(([key]) => key[0])).toEqual(bytes)
      })

      it.each([1, 2, 3, 5, 100])('gives pages of at most %i, none empty', async (pageSize) => {
        const session = await openStore()
        await session.put(LETTERS)

        const pages: (readonly Entry[])[] = []
        for await (const page of session.store.load(ALL, pageSize)) pages.push(page)

        expect(pages.every((page) => page.length > 0 && page.length <= pageSize)).toBe(true)
        expect(pages.flat().map(([key]) => string(key))).toEqual(Object.keys(LETTERS))
      })

      it('shows the state at its first page, whatever is committed meanwhile', async () => {
        const session = await openStore()
        await session.put(LETTERS)

        const pages = session.store.load(ALL, 2)[Symbol.asyncIterator]()
        const seen = [(await pages.next()).value as readonly Entry[]]
        await session.commit({ ...puts({ aa: 'new', c: 'new' }), deleteKeys: keys('d') })
        for (let next = await pages.next(); next.done !== true; next = await pages.next()) {
          seen.push(next.value)
        }

        expect(Object.fromEntries(seen.flat().map(asText))).toEqual(LETTERS)
      })

      it('may be left before its end', async () => {
        const session = await openStore()
        await session.put(LETTERS)

        for await (const page of session.store.load(ALL, 1)) {
          expect(page).toHaveLength(1)
          break
        }

        expect(await session.put({ e: '6' })).toBe('committed')
      })

      it('goes through 10,000 entries both ways, and finds each by its key', async () => {
        const session = await openStore()
        const putKeys = Array.from({ length: 10_000 }, (_, index) => number(index * 7_919))
        await session.commit({ putKeys, putValues: putKeys, deleteKeys: [] })
        const deleteKeys = putKeys.filter((_, index) => index % 3 === 0)
        await session.commit({ ...EMPTY, deleteKeys })

        const kept = putKeys
          .filter((_, index) => index % 3 !== 0)
          .sort((one, other) => Buffer.compare(one, other))
        const forward = await session.entries(ALL, 1_000)
        const backward = await session.entries({ ...ALL, reverse: true }, 1_000)
        const values = await session.store.getMany(putKeys)

        expect(forward.map(([key]) => hex(key))).toEqual(kept.map(hex))
        expect(backward.map(([key]) => hex(key))).toEqual(kept.toReversed().map(hex))
        expect(values.filter((value) => value === undefined)).toHaveLength(deleteKeys.length)
      })
    })

    describe('getMany', () => {
      it('gives values in the order of the keys, undefined where there is none', async () => {
        const session = await openStore()
        await session.put({ a: 'one', b: 'two' })

        const values = await session.store.getMany(keys('b', 'x', 'a', 'b'))

        expect(values.map((value) => value && string(value))).toEqual([
          'two',
          undefined,
          'one',
          'two',
        ])
      })

      it('gives nothing for no keys', async () => {
        const { store } = await openStore()

        expect(await store.getMany([])).toEqual([])
      })

      it('gives bytes that are the caller’s to change', async () => {
        const session = await openStore()
        await session.put({ a: 'one' })

        const [value] = await session.store.getMany(keys('a'))
        value?.fill(0)

        expect(await session.all()).toEqual({ a: 'one' })
      })
    })

    describe('reclaim', () => {
      it('changes nothing that can be read, and lets commits go on', async () => {
        const session = await openStore()
        await session.put({ a: 'one', b: 'two', c: 'three' })
        await session.commit({ ...EMPTY, deleteKeys: keys('b') })

        const reclaimed = session.store.reclaim(async () => true)
        expect(await session.put({ d: 'four' })).toBe('committed')
        await reclaimed

        expect(await session.all()).toEqual({ a: 'one', c: 'three', d: 'four' })
        expect(await (await reopen(session)).all()).toEqual({ a: 'one', c: 'three', d: 'four' })
      })

      it('may be told that there is no room', async () => {
        const session = await openStore()
        await session.put({ a: 'one' })

        await session.store.reclaim(async () => false)

        expect(await session.put({ b: 'two' })).toBe('committed')
      })

      it('does nothing after the store was closed', async () => {
        const { store } = await openStore()
        await store.close()

        await expect(store.reclaim(async () => true)).resolves.toBeUndefined()
      })
    })

    describe('close', () => {
      it('is safe before open and safe twice', async () => {
        const store = makeStore()

        await store.close()
        await store.close()

        const session = await openStore()
        await session.put({ a: 'one' })
        await session.store.close()
        await session.store.close()
        expect((await openStore()).opened.lsn).toBe(1)
      })

      it('waits for the commit in flight', async () => {
        const first = await openStore()

        const outcome = first.put({ a: 'one' })
        const second = await reopen(first)

        expect(await outcome).toBe('committed')
        expect(await second.all()).toEqual({ a: 'one' })
      })

      it.each(['before open', 'after close'])('%s nothing is answered', async (when) => {
        const store = makeStore()
        if (when === 'after close') {
          await store.open()
          await store.close()
        }

        expect(await store.commit({ epoch: 1 }, 1, 1, EMPTY)).toBe('unknown')
        await expect(store.getMany(keys('a'))).rejects.toMatchObject({ code: 'IO' })
        await expect(firstPage(store)).rejects.toMatchObject({ code: 'IO' })
      })
    })
  })
}
