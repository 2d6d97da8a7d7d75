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
  it('is not opened on an image that ends before its mark', async () => {
    const image = new MemoryImage()
    const one = new MemoryStore(image)
    const { ownership } = await one.open()
    await one.commit(ownership, 1, 1, committedBatch(1, 10))
    const tailLost = image.fork()
    await one.commit(ownership, 2, 1, committedBatch(2, 10))
    tailLost.mark(2)
    image.mark(2)

    await expect(new MemoryStore(tailLost).open()).rejects.toThrow(
      'the store ends at commit 1, but had come to 2: acknowledged work is lost',
    )
    await expect(new MemoryStore(image).open()).resolves.toMatchObject({ lsn: 2 })
  })

  it('shows its image to those who only look, the same bytes until they are written anew', async () => {
    const image = new MemoryImage()
    const one = new MemoryStore(image)
    const { ownership } = await one.open()
    await one.commit(ownership, 1, 1, committedBatch(1, 10))
    const [[key, value] = []] = image.peekEntries({
      from: Uint8Array.of(0),
      to: new Uint8Array(16).fill(0xff),
    })
    const before = image.peek(key as Uint8Array)
    image.tamper(key as Uint8Array, value as Uint8Array)

    expect(before).toBe(value)
    expect(image.peek(key as Uint8Array)).not.toBe(before)
    expect(image.peek(key as Uint8Array)).toEqual(before)
  })
})
