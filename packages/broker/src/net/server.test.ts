// Who may connect, and how a server with clients comes to its end.

import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { encodeRequestFrame, limits, type RequestOf } from '@tq/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { GatedStore } from '../../test/gated-store.ts'
import { RawClient } from '../../test/raw-client.ts'
import { enqueueOf } from '../../test/running-broker.ts'
import { aTcpRig, makeServer } from '../../test/tcp-rig.ts'
import { until } from '../../test/until.ts'
import { MemoryImage } from '../storage/memory-image.ts'

const PING: RequestOf<'ping'> = { verb: 'ping' }
const CLAIM: RequestOf<'claim'> = {
  verb: 'claim',
  queues: ['mail'],
  max: 1,
  waitMs: 30_000,
  start: true,
  claim: 1,
  order: 'round',
}

async function someConnections(
  connect: () => Promise<RawClient>,
  count: number,
): Promise<RawClient[]> {
  return await Promise.all(Array.from({ length: count }, connect))
}

const MIB = 1024 * 1024

describe('I22: the bytes of requests that wait', () => {
  it('are bounded for all clients together: nobody is read until some have been answered', async () => {
    const image = new MemoryImage()
    const store = new GatedStore(image)
    const rig = await aTcpRig({ inputBytesMax: 8 * MIB, makeStore: () => store })
    const clients = await someConnections(rig.greeted, 12)
    store.commits.shut()
    for (const client of clients) {
      client.sendAll([
        [10, enqueueOf('mail', 1, MIB)],
        [11, enqueueOf('mail', 1, MIB)],
      ])
    }
    await until(() => rig.server.inputBytes > 6 * MIB)
    expect(rig.answers.filter(({ verb }) => verb === 'enqueue')).toEqual([])

    const small = await rig.greeted()
    const seen: number[] = []
    const watch = setInterval(() => seen.push(rig.server.inputBytes), 1)
    onTestFinished(() => clearInterval(watch))
    store.commits.open()

    await Promise.all(clients.map((client) => Promise.all([client.answer(10), client.answer(11)])))
    expect(await small.ask(2, PING)).toHaveProperty('wallMs')
    expect(Math.max(...seen)).toBeLessThanOrEqual(8 * MIB)
    expect(rig.server.inputBytes).toBe(0)
  })

  it('are not those of claims that wait for work, however large these are', async () => {
    const rig = await aTcpRig({ inputBytesMax: 1.25 * MIB, connection: { inFlightMax: 256 } })
    const [greedy, other] = [await rig.greeted(), await rig.greeted()]
    const queues = Array.from({ length: 100 }, (_, index) => `q${index}`.padEnd(128, 'x'))

    for (let claim = 1; claim <= 100; claim += 1) {
      greedy.sendAll([[claim + 1, { ...CLAIM, queues, claim }]])
    }
    await until(() => rig.answers.filter(({ verb }) => verb === 'claim').length > 70)

    const refused = rig.answers.filter(({ code }) => code === 'RESOURCE_EXHAUSTED').length
    expect(rig.pipeline.parkedClaims).toBe(100 - refused)
    await expect(greedy.answer(101)).rejects.toMatchObject({ details: { retryAfterMs: 1_000 } })
    expect(rig.server.inputBytes).toBe(0)
    expect(await other.ask(2, enqueueOf('mail', 1, MIB))).toMatchObject({ count: 1 })
    greedy.destroy()
    await rig.happened('closed')
    const after = await rig.greeted()
    after.send(2, { ...CLAIM, queues })
    await until(() => rig.pipeline.parkedClaims === 1)
  })

  it('are no reason to keep others waiting for a client that stalls amid a large frame', async () => {
    const rig = await aTcpRig({ inputBytesMax: 16 * MIB })
    const stallers = await someConnections(rig.greeted, 8)
    const frame = encodeRequestFrame(9, enqueueOf('mail', 4, MIB - 1_000))
    for (const client of stallers) client.write(frame.subarray(0, 100))
    await until(() => rig.server.inputBytes > MIB / 2)

    const others = await someConnections(rig.greeted, 8)
    for (const client of others) client.write(frame)

    for (const client of others)
      expect(await client.answer<'enqueue'>(9)).toHaveProperty('count', 4)
    expect(rig.server.inputBytes).toBe(8 * 128 * 1024)
  })

  it('are freed when clients are gone, whatever they had begun', async () => {
    const rig = await aTcpRig({ inputBytesMax: 8 * MIB })
    const clients = await someConnections(rig.greeted, 6)
    const frame = encodeRequestFrame(9, enqueueOf('mail', 1, MIB))
    for (const client of clients) {
      client.sendAll([[8, CLAIM]])
      client.write(frame.subarray(0, frame.length - 1))
    }
    await until(() => rig.server.inputBytes > 3 * MIB)

    for (const client of clients) client.destroy()
    await rig.happened('closed', 6)

    expect(rig.server.inputBytes).toBe(0)
  })
})

describe('connections', () => {
  it('are refused in words when there are too many, and the others are not disturbed', async () => {
    const rig = await aTcpRig({ connectionsMax: 3 })
    const clients = await someConnections(rig.greeted, 3)

    const refused = await rig.connect()

    await expect(refused.answer(0)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'the broker takes no more connections now: more than 3 connections',
      details: { retryAfterMs: 1_000 },
    })
    await refused.ended
    for (const client of clients) expect(await client.ask(2, PING)).toHaveProperty('wallMs')
    expect(rig.events.at(-1)).toMatchObject({ event: 'refused', address: '127.0.0.1' })

    clients[0]?.destroy()
    await rig.happened('closed')
    expect(await (await rig.greeted()).ask(2, PING)).toHaveProperty('wallMs')
  })

  it('from elsewhere are limited by their address; those of this machine are not', async () => {
    let address = '192.0.2.1'
    const rig = await aTcpRig({
      perAddress: { connectionsMax: 4, unauthenticatedMax: 2, connectRateMax: 1_000 },
      addressOf: () => address,
    })
    const silent = await someConnections(rig.connect, 2)

    const third = await rig.connect()
    expect(await third.refusal(0)).toBe('RESOURCE_EXHAUSTED')
    for (const client of silent) await client.hello()
    await someConnections(rig.greeted, 2)
    expect(await (await rig.connect()).refusal(0)).toBe('RESOURCE_EXHAUSTED')

    address = '192.0.2.2'
    expect(await (await rig.connect()).hello()).toHaveProperty('principal')
    address = '127.0.0.1'
    await someConnections(rig.connect, 20)
    expect(rig.events.filter(({ event }) => event === 'refused')).toHaveLength(2)
  })

  it('from elsewhere come only so fast', async () => {
    const rig = await aTcpRig({
      perAddress: { connectRateMax: 5 },
      addressOf: () => '2001:db8::1',
    })
    for (let count = 0; count < 5; count += 1) (await rig.greeted()).destroy()

    expect(await (await rig.connect()).refusal(0)).toBe('RESOURCE_EXHAUSTED')

    rig.world.pass(1_000)
    expect(await (await rig.connect()).hello()).toHaveProperty('principal')
  })

  it('from elsewhere are told apart from those of this machine when they say hello', async () => {
    const asked: boolean[] = []
    let address = '192.0.2.1'
    const rig = await aTcpRig({
      addressOf: () => address,
      authenticate: (_, isLoopback) => {
        asked.push(isLoopback)
        return 'somebody'
      },
    })
    await rig.greeted()
    address = '::ffff:127.0.0.1'
    await rig.greeted()

    expect(asked).toEqual([false, true])
  })

  it('leave nothing behind, however many come and go', async () => {
    const rig = await aTcpRig()
    const timerCount = rig.world.timerCount
    for (let round = 0; round < 5; round += 1) {
      const clients = await someConnections(rig.connect, 200)
      for (const [index, client] of clients.entries()) {
        if (index % 4 === 0) client.send(2, PING)
        if (index % 4 === 1) client.write(Uint8Array.of(0, 0, 1))
        if (index % 4 === 2) client.end()
        if (index % 4 === 3) client.socket.resetAndDestroy()
        else client.destroy()
      }
      // Who was gone before it was taken was never a connection.
      const gone = ({ event }: { event: string }): boolean => event !== 'opened'
      await until(() => rig.events.filter(gone).length === 200 * (round + 1))
    }

    expect(rig.server.connectionCount).toBe(0)
    expect(rig.world.timerCount).toBe(timerCount)
    expect(await (await rig.greeted()).ask(2, PING)).toHaveProperty('wallMs')
  })
})

describe('a server that stops', () => {
  it('says so, answers what was asked, refuses what is new, and then ends', async () => {
    const rig = await aTcpRig()
    const [waiting, idle] = [await rig.greeted(), await rig.greeted()]
    waiting.send(2, CLAIM)
    await waiting.ask(3, PING)

    rig.server.announceClosing('maintenance', 5_000)
    const stopped = rig.server.stop(5_000)
    // What is not in flight ends at once; who waits for an answer may still be told more.
    await idle.ended
    waiting.send(4, PING)
    await waiting.answer(4)
    expect(rig.pipeline.parkedClaims).toBe(1)
    rig.pipeline.stop()

    expect(await waiting.answer<'claim'>(2)).toEqual({ tasks: [], leaseMs: 0 })
    await waiting.ended
    const closing = {
      kind: 'push',
      channel: 'closing',
      data: { reason: 'maintenance', graceMs: 5_000 },
    }
    expect(idle.messages.slice(1)).toEqual([closing])
    expect(waiting.messages.filter(({ kind }) => kind === 'push')).toEqual([closing])
    waiting.end()
    idle.end()
    await stopped
    expect(rig.server.connectionCount).toBe(0)
    expect(rig.events.at(-1)).toMatchObject({ event: 'closed', reason: 'the broker stops' })
  })

  it('ends whoever is left at the deadline', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()
    client.send(2, CLAIM)
    await client.ask(3, PING)

    const stopped = rig.server.stop(5_000)
    rig.world.pass(4_000)
    expect(rig.server.connectionCount).toBe(1)
    rig.world.pass(1_000)

    await stopped
    await client.ended
    expect(client.messages).toHaveLength(2)
  })

  it('sends all answers to a client that reads them late', async () => {
    const rig = await aTcpRig({ connection: { outputBytesMax: 64 * 1024 * 1024 } })
    const client = await rig.greeted()
    const { ids = [] } = await client.ask(2, enqueueOf('mail', 1, limits.PAYLOAD_BYTES_MAX))
    const get = { verb: 'get', id: ids[0], payload: true } as RequestOf<'get'>
    client.pause()
    const asked = Array.from({ length: 16 }, (_, index) => index + 10)
    client.sendAll(asked.map((id) => [id, get] as const))
    await until(() => rig.answers.length === 18)

    const stopped = rig.server.stop(60_000)
    rig.world.pass(10_000)
    client.resume()

    await Promise.all(asked.map((id) => client.answer(id)))
    await client.ended
    client.end()
    await stopped
  })

  it('lets nobody connect any more', async () => {
    const rig = await aTcpRig()
    const { address } = rig.server

    await rig.server.stop(0)

    const late = await RawClient.connect(address)
    expect(await late.closed).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('may do so twice, and before it has started, and leaves no timer', async () => {
    const rig = await aTcpRig()
    await rig.greeted()
    const stopped = rig.server.stop(0)
    rig.world.pass(0)
    await Promise.all([stopped, rig.server.stop(0), rig.server.stop(9_000)])
    rig.server.destroy('again')
    expect(rig.world.timerCount).toBe(0)

    const idle = makeServer(rig.world, rig.pipeline)
    await idle.stop(5_000)
    idle.destroy('never started')
    expect(rig.world.timerCount).toBe(0)
  })

  it('ends everybody at once when it is destroyed', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()
    client.send(2, CLAIM)
    await client.ask(3, PING)

    rig.server.destroy('a test')
    await client.ended
    await rig.happened('closed')

    expect(rig.pipeline.parkedClaims).toBe(0)
    expect(rig.events.at(-1)?.reason).toBe('a test')
    await rig.server.stop(0)
  })
})

describe('a server that starts', () => {
  it('rejects with the code of the system if it cannot listen', async () => {
    const rig = await aTcpRig()
    const blocker = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void blocker.close())
    await once(blocker, 'listening')
    const { port } = blocker.address() as AddressInfo
    const server = makeServer(rig.world, rig.pipeline, { port })
    const timerCount = rig.world.timerCount

    await expect(server.start()).rejects.toMatchObject({ code: 'EADDRINUSE', port })

    expect(rig.world.timerCount).toBe(timerCount)
    await server.stop(0)
  })

  it('looks at its connections as often as its shortest deadline needs', async () => {
    const rig = await aTcpRig({ connection: { helloMs: 200 } })
    const client = await rig.connect()

    rig.world.pass(250)
    await rig.happened('closed')
    await client.ended

    const hasty = await aTcpRig({ connection: { helloMs: 1 } })
    await hasty.connect()
    hasty.world.pass(25)
    await hasty.happened('closed')
  })
})
