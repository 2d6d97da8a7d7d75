// Writing frames to a socket that takes them fast, slowly, or not at all.

import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { encodeReplyFrame } from '@tq/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Outbox } from './outbox.ts'

interface Pair {
  /** The end that the outbox writes to. */
  readonly near: Socket
  readonly far: Socket
  /** Bytes that came out at the far end. */
  readonly received: () => Buffer
  /** Resolves when so many have. */
  readonly receivedBytes: (count: number) => Promise<void>
}

async function aPair(): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const far = createConnection({ host: '127.0.0.1', port, allowHalfOpen: true })
  const [near] = (await once(server, 'connection')) as [Socket]
  near.on('error', () => {})
  onTestFinished(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  const chunks: Buffer[] = []
  let bytes = 0
  far.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
  })
  const receivedBytes = async (count: number): Promise<void> => {
    while (bytes < count) await once(far, 'data')
  }
  return { near, far, received: () => Buffer.concat(chunks), receivedBytes }
}

function anOutbox({ near }: Pair, onTaken: () => void = () => {}): Outbox {
  return new Outbox(near, () => performance.now(), onTaken)
}

function someFrames(count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => new Uint8Array(bytes).fill(index))
}

/** Adds frames until the socket takes no more. */
function fill(outbox: Outbox, frame: Uint8Array): number {
  let bytes = 0
  while (outbox.stalledSinceMs === undefined) {
    outbox.add(frame)
    outbox.flush()
    bytes += frame.length
  }
  return bytes
}

describe('Outbox', () => {
  it('writes the frames of a turn at once, without copying those that lie together', async () => {
    const pair = await aPair()
    const outbox = anOutbox(pair)
    const writes = vi.spyOn(pair.near, 'write')
    const frames = Array.from({ length: 50 }, (_, id) => encodeReplyFrame(id + 1, { ok: id }, 7))

    for (const frame of frames) outbox.add(frame)
    outbox.flush()

    const written = writes.mock.calls.map(([bytes]) => bytes as Uint8Array)
    // A reply may begin the next of the buffers that all frames share.
    expect(written.length).toBeLessThanOrEqual(1)
    if (frames[0]?.buffer === frames[49]?.buffer) {
      expect(written[0]?.buffer).toBe(frames[0]?.buffer)
    }
    await pair.receivedBytes(Buffer.concat(frames).length)
    expect(pair.received()).toEqual(Buffer.concat(frames))
    expect(outbox.bytes).toBe(0)
    expect(outbox.stalledSinceMs).toBeUndefined()
  })

  it('joins small frames from here and there, and writes large ones as they are', async () => {
    const pair = await aPair()
    const outbox = anOutbox(pair)
    const writes = vi.spyOn(pair.near, 'write')
    const small = someFrames(10, 100)
    const large = someFrames(3, 100_000)

    for (const frame of small) outbox.add(frame)
    outbox.flush()
    expect(writes.mock.calls.map(([bytes]) => (bytes as Uint8Array).length)).toEqual([1_000])

    for (const frame of large) outbox.add(frame)
    outbox.flush()
    const buffers = writes.mock.calls.slice(1).map(([bytes]) => (bytes as Uint8Array).buffer)
    expect(buffers).toEqual(large.map((frame) => frame.buffer))

    const all = Buffer.concat([...small, ...large])
    await pair.receivedBytes(all.length)
    expect(pair.received().equals(all)).toBe(true)
  })

  it('keeps what the socket does not take, and goes on when it does', async () => {
    const pair = await aPair()
    let takenCount = 0
    const outbox = anOutbox(pair, () => (takenCount += 1))
    pair.far.pause()
    const filledBytes = fill(outbox, new Uint8Array(256 * 1024).fill(1))
    const waitedBytes = outbox.bytes
    const frames = [...someFrames(100, 50), ...someFrames(3, 900_000)]

    for (const frame of frames) {
      outbox.add(frame)
      outbox.flush()
    }

    const addedBytes = 100 * 50 + 3 * 900_000
    expect(outbox.bytes).toBe(waitedBytes + addedBytes)
    expect(takenCount).toBe(0)

    pair.far.resume()
    await pair.receivedBytes(filledBytes + addedBytes)
    expect(pair.received().subarray(filledBytes).equals(Buffer.concat(frames))).toBe(true)
    await vi.waitFor(() => expect(outbox.stalledSinceMs).toBeUndefined())
    expect(outbox.bytes).toBe(0)
    expect(takenCount).toBeGreaterThan(0)
  })

  it('keeps a copy of a frame that has to wait, not the larger memory that it shares', async () => {
    const pair = await aPair()
    const outbox = anOutbox(pair)
    pair.far.pause()
    const filledBytes = fill(outbox, new Uint8Array(256 * 1024))
    const shared = new Uint8Array(64 * 1024).fill(1)

    for (let at = 0; at < 40_000; at += 2_000) outbox.add(shared.subarray(at, at + 1_800))
    outbox.add(shared.subarray(50_000, 60_000))
    // Were these not copies, this would be seen at the far end.
    shared.fill(2)

    const waitingBytes = 20 * 1_800 + 10_000
    pair.far.resume()
    await pair.receivedBytes(filledBytes + waitingBytes)
    expect(pair.received().subarray(filledBytes).equals(Buffer.alloc(waitingBytes, 1))).toBe(true)
  })

  it('tells since when a socket has taken nothing, and that it gets on', async () => {
    const pair = await aPair()
    let nowMs = 1_000
    const outbox = new Outbox(
      pair.near,
      () => nowMs,
      () => {},
    )
    pair.far.pause()
    const filledBytes = fill(outbox, new Uint8Array(1024 * 1024))
    for (let count = 0; count < 8; count += 1) outbox.add(new Uint8Array(1024 * 1024))
    outbox.flush()
    expect(outbox.stalledSinceMs).toBe(1_000)

    nowMs = 9_000
    pair.far.resume()
    await pair.receivedBytes(filledBytes)
    await vi.waitFor(() => expect(outbox.stalledSinceMs).not.toBe(1_000))
  })

  it('says that nothing follows only after everything is written', async () => {
    const pair = await aPair()
    const outbox = anOutbox(pair)
    pair.far.pause()
    const filledBytes = fill(outbox, new Uint8Array(256 * 1024))
    const ended = once(pair.far, 'end')

    outbox.add(Uint8Array.of(7))
    outbox.end()
    outbox.end()
    expect(pair.near.writableEnded).toBe(false)

    pair.far.resume()
    await ended
    expect(pair.received()).toHaveLength(filledBytes + 1)
    expect(pair.received().at(-1)).toBe(7)
  })

  it('does nothing once the socket is gone', async () => {
    const pair = await aPair()
    const onTaken = vi.fn()
    const outbox = anOutbox(pair, onTaken)
    pair.far.pause()
    fill(outbox, new Uint8Array(256 * 1024))
    const closed = once(pair.near, 'close')

    pair.near.destroy()
    outbox.add(Uint8Array.of(1))
    outbox.flush()

    await closed
    expect(onTaken).not.toHaveBeenCalled()
  })
})
