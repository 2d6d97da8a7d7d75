// What the memory store does beyond the suite of all stores.
import { describe, expect, it } from 'vitest'
import { committedBatch, faultsUpTo } from '../../test/committed-batch.ts'
import { MemoryImage } from './memory-image.ts'
import { MemoryStore } from './memory-store.ts'

describe('MemoryStore', () => {
  it('fences the store that another one has taken over from', async () => {
    const image = new MemoryImage()
    const [one, two] = [new MemoryStore(image), new MemoryStore(image)]
    const { ownership } = await one.open()
    await two.open()

    expect(await one.commit(ownership, 1, 1, committedBatch(1, 10))).toBe('fenced')

    expect(await faultsUpTo(two, 0)).toEqual([])
  })

  it('makes an image of its own if none is given', async () => {
    expect(await new MemoryStore().open()).toMatchObject({ created: true })
  })

  it('goes on from a fork as from a disk that was copied', async () => {
    const image = new MemoryImage()
    const one = new MemoryStore(image)
    const { ownership } = await one.open()
    await one.commit(ownership, 1, 1, committedBatch(1, 10))
    const fork = image.fork()
    await one.commit(ownership, 2, 1, committedBatch(2, 10))

    const other = new MemoryStore(fork)

    expect(await other.open()).toEqual({ ownership: { epoch: 2 }, lsn: 1, created: false })
    expect(await faultsUpTo(other, 1)).toEqual([])
    expect(await faultsUpTo(one, 2)).toEqual([])
  })
})
