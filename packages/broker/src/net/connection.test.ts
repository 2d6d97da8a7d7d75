// One connection as its client sees it: requests in, answers out, and what ends it.

import { randomBytes } from 'node:crypto'
import { encodeRequestFrame, limits, type RequestOf, type Scheduler, type TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { helloRequest, type RawClient } from '../../test/raw-client.ts'
import { enqueueOf } from '../../test/running-broker.ts'
import { FaultyStore, type FaultyStoreOptions, NO_FAULTS } from '../storage/faulty-store.ts'
import { MemoryImage } from '../storage/memory-image.ts'
import { aTcpRig, type TcpRig } from '../../test/tcp-rig.ts'
import { until } from '../../test/until.ts'

const PING: RequestOf<'ping'> = { verb: 'ping' }

const MIB = 1024 * 1024
const UNKNOWN_TASK = Buffer.from('01a1f8660d00700092eb30557a9fc4e9', 'hex')
/** Each of these leases is unknown, and named in the answer. */
const MANY_LEASES: RequestOf<'heartbeat'> = {
  verb: 'heartbeat',
  leases: Array.from({ length: 10_000 }, () => ({ id: UNKNOWN_TASK, token: 2 ** 52 })),
  received: 0,
}

function claimOf(claim: number, queue = 'mail'): RequestOf<'claim'> {
  return {
    verb: 'claim',
    queues: [queue],
    max: 1,
    waitMs: 30_000,
    start: true,
    claim,
    order: 'round',
  }
}

function getOf(id: Uint8Array): RequestOf<'get'> {
  return { verb: 'get', id, payload: true } as RequestOf<'get'>
}

function numbers(count: number, from: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}

function answeredIds(client: RawClient): number[] {
  return client.messages.flatMap((message) => (message.kind === 'push' ? [] : [message.id]))
}

describe('a conversation', () => {
  it('begins with hello, which tells who speaks and what the limits are', async () => {
    const rig = await aTcpRig({ connection: { inFlightMax: 17 } })
    const client = await rig.connect()
    const session = randomBytes(16)

    const welcome = await client.hello({ session })

    expect(welcome).toMatchObject({
      protocol: 1,
      broker: { name: 'tq-broker', version: '9.9.9', epoch: 1 },
      principal: 'somebody',
      heartbeatMs: 5_000,
      workerDeadMs: 15_000,
      limits: { inFlightMax: 17, frameBytesMax: limits.FRAME_BYTES_MAX },
    })
    expect(Buffer.compare(welcome.session, session)).toBe(0)
  })

  it('gives a session to a client that has none, another to each', async () => {
    const rig = await aTcpRig()
    const [one, other] = [await rig.connect(), await rig.connect()]

    const sessions = [(await one.hello()).session, (await other.hello()).session]

    expect(sessions.map((session) => session.length)).toEqual([16, 16])
    expect(sessions[0]).not.toEqual(sessions[1])
  })

  it('goes the same way if its bytes come one at a time', async () => {
    const rig = await aTcpRig()
    const client = await rig.connect()
    const bytes = Buffer.concat([
      encodeRequestFrame(1, helloRequest()),
      encodeRequestFrame(2, enqueueOf('mail', 3, 100)),
      encodeRequestFrame(3, claimOf(1)),
      encodeRequestFrame(4, PING),
    ])

    for (const byte of bytes) {
      client.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }

    expect(await client.answer<'enqueue'>(2)).toMatchObject({ count: 3 })
    expect((await client.answer<'claim'>(3)).tasks).toHaveLength(1)
    expect(await client.answer<'ping'>(4)).toHaveProperty('wallMs')
  })

  it('goes the same way if all of it comes at once', async () => {
    const rig = await aTcpRig()
    const client = await rig.connect()

    client.sendAll<'hello' | 'enqueue' | 'claim'>([
      [1, helloRequest()],
      [2, enqueueOf('mail', 1)],
      [3, claimOf(1)],
    ])

    expect((await client.answer<'claim'>(3)).tasks).toHaveLength(1)
    expect(client.messages[0]).toMatchObject({ kind: 'reply', id: 1 })
  })

  it('hears no push before the answer to hello', async () => {
    const rig = await aTcpRig()
    const silent = await rig.connect()
    const greeted = await rig.greeted()

    rig.server.announceClosing('a test', 5_000)
    void rig.server.stop(5_000)

    expect(await greeted.next()).toMatchObject({ kind: 'reply', id: 1 })
    expect(await greeted.next()).toMatchObject({ kind: 'push', channel: 'closing' })
    await silent.ended
    expect(silent.messages).toEqual([])
  })
})

describe('a request that is refused', () => {
  it('before hello ends the connection, whatever it is', async () => {
    const rig = await aTcpRig({ authenticate: () => undefined })
    const cases = [
      { request: PING, code: 'UNAUTHENTICATED' },
      { request: helloRequest(), code: 'UNAUTHENTICATED' },
      { request: helloRequest({ token: 'wrong' }), code: 'UNAUTHENTICATED' },
      { request: helloRequest({ protocol: 2 }), code: 'UNSUPPORTED' },
      { request: helloRequest({ session: new Uint8Array(3) }), code: 'BAD_REQUEST' },
    ]
    for (const { request, code } of cases) {
      const client = await rig.connect()
      client.sendAll([
        [7, request],
        [8, PING],
      ])
      expect(await client.refusal(7)).toBe(code)
      await client.ended
      expect(client.messages).toHaveLength(1)
    }
    expect(rig.refusedHellos).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED'])
  })

  it('after hello is refused under its id, and the connection goes on', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()
    const bodies = {
      'an unknown verb': '94000aa36a616d80',
      'an unknown key': '94000ba470696e6781a16100',
      'arguments that are no map': '94000ca470696e6790',
      'five values': '95000da470696e678000',
      'a second message behind it': '94000ea470696e678000',
    }
    for (const hex of Object.values(bodies)) client.writeBody(Buffer.from(hex, 'hex'))

    const codes = await Promise.all([10, 11, 12, 13, 14].map((id) => client.refusal(id)))

    expect(codes).toEqual(['UNSUPPORTED', ...Array<string>(4).fill('BAD_REQUEST')])
    expect(await client.ask(20, PING)).toHaveProperty('wallMs')
  })

  it('is a second hello', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()

    client.send(2, helloRequest())

    expect(await client.refusal(2)).toBe('BAD_REQUEST')
    expect(await client.ask(3, PING)).toHaveProperty('wallMs')
  })

  it('is one whose id belongs to a request that has not been answered; that one is', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()
    client.send(5, claimOf(1))
    client.send(5, PING)

    expect(await client.refusal(5)).toBe('BAD_REQUEST')
    client.messages.length = 0
    client.send(6, enqueueOf('mail', 1))
    expect((await client.answer<'claim'>(5)).tasks).toHaveLength(1)

    client.messages.length = 0
    expect(await client.ask(5, PING)).toHaveProperty('wallMs')
  })
})

describe('a broken stream', () => {
  const broken: Record<string, (client: RawClient) => void> = {
    'a frame without a body': (client) => client.writeHeader(0),
    'a header of four gigabytes': (client) => client.writeHeader(0xffff_ffff),
    'a body that is no array': (client) => client.writeBody(Buffer.from('81a16101', 'hex')),
    'an array without an id': (client) => client.writeBody(Buffer.from('9400', 'hex')),
    'an id that is text': (client) => client.writeBody(Buffer.from('9400a131a470696e6780', 'hex')),
    noise: (client) => client.writeBody(randomBytes(3_000).fill(0xc1, 0, 1)),
    'an HTTP request': (client) => client.write(Buffer.from('GET / HTTP/1.1\r\nHost: tq\r\n\r\n')),
  }

  it.each(Object.keys(broken))('is %s: refused under id 0, and ended', async (name) => {
    const rig = await aTcpRig()
    for (const client of [await rig.connect(), await rig.greeted()]) {
      client.messages.length = 0
      broken[name]?.(client)

      expect(['BAD_REQUEST', 'TOO_LARGE']).toContain(await client.refusal(0))
      await client.ended
      expect(client.messages).toHaveLength(1)
    }
  })

  it('is a frame over 4 KiB before hello, and over 4 MiB after it', async () => {
    const rig = await aTcpRig()
    const silent = await rig.connect()
    silent.writeHeader(limits.FRAME_BYTES_MAX_BEFORE_HELLO + 1)
    await expect(silent.answer(0)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: { limit: 4_096, bytes: 4_097 },
    })

    const client = await rig.greeted()
    client.writeHeader(limits.FRAME_BYTES_MAX)
    client.write(new Uint8Array(limits.FRAME_BYTES_MAX).fill(0xc0))
    await expect(client.answer(0)).rejects.toMatchObject({ code: 'BAD_REQUEST' })

    const other = await rig.greeted()
    other.writeHeader(limits.FRAME_BYTES_MAX + 1)
    await expect(other.answer(0)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: { limit: limits.FRAME_BYTES_MAX, bytes: limits.FRAME_BYTES_MAX + 1 },
    })
  })

  it('is told of even to a client that goes on sending', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()

    client.writeHeader(limits.FRAME_BYTES_MAX + 1)
    // Were this not read away, closing would reset the connection and swallow the refusal.
    client.write(new Uint8Array(3 * MIB))

    expect(await client.refusal(0)).toBe('TOO_LARGE')
    await client.ended
    client.end()
    expect(await client.closed).toBeUndefined()
  })

  it('drops what the client waited for, such as parked claims', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()
    client.send(2, claimOf(1))
    await client.ask(3, PING)
    expect(rig.pipeline.parkedClaims).toBe(1)

    client.writeHeader(0)
    await client.ended

    expect(rig.pipeline.parkedClaims).toBe(0)
    expect(answeredIds(client)).toEqual([1, 3, 0])
  })
})

describe('a client that has gone', () => {
  it('gets no leases: one that ends its side, and one that is cut off', async () => {
    const rig = await aTcpRig()
    const [polite, dead] = [await rig.greeted(), await rig.greeted()]
    for (const client of [polite, dead]) {
      client.send(2, claimOf(1))
      await client.ask(3, PING)
    }
    expect(rig.pipeline.parkedClaims).toBe(2)

    polite.end()
    dead.socket.resetAndDestroy()
    await rig.happened('closed', 2)

    expect(rig.pipeline.parkedClaims).toBe(0)
    expect(rig.server.connectionCount).toBe(0)
    const producer = await rig.greeted()
    await producer.ask(2, enqueueOf('mail', 2))
    expect(rig.partition.state.leases.count).toBe(0)
  })

  it('is let go even if it had not read its answers', async () => {
    const rig = await aTcpRig({ connection: { outputBytesMax: 64 * MIB } })
    const { client } = await stuffed(rig)

    client.end()
    await until(() => rig.pipeline.parkedClaims === 0)
    await rig.passUntil(() => rig.server.connectionCount === 0)

    expect(rig.events.at(-1)).toMatchObject({ event: 'closed', reason: 'closed by the client' })
  })
})

describe('requests in flight', () => {
  it('are at most so many; the others are read when there is room', async () => {
    const rig = await aTcpRig({ connection: { inFlightMax: 256 } })
    const client = await rig.greeted()
    const ids = numbers(300, 2)

    client.sendAll(ids.map((id) => [id, claimOf(id)] as const))
    client.send(1_000, PING)
    const other = await rig.greeted()
    await until(() => rig.pipeline.parkedClaims === 256)
    // Whoever else comes is served.
    await other.ask(2, PING)
    expect(answeredIds(client)).toEqual([1])

    await other.ask(3, enqueueOf('mail', 60))
    await client.answer<'ping'>(1_000)

    expect(
      answeredIds(client)
        .slice(1, 61)
        .sort((a, b) => a - b),
    ).toEqual(ids.slice(0, 60))
    expect(rig.pipeline.parkedClaims).toBe(240)
  })

  it('are all answered, once each, where 300 come in one write', async () => {
    const rig = await aTcpRig({ connection: { inFlightMax: 8 } })
    const client = await rig.greeted()
    const ids = numbers(300, 2)

    client.sendAll(ids.map((id) => [id, enqueueOf('mail', 1, 500)] as const))

    await client.received(301)
    expect(answeredIds(client).sort((a, b) => a - b)).toEqual([1, ...ids])
    expect(rig.partition.state.tasks.count).toBe(300)
  })

  it('wait while the pipeline has no room, and are carried out in the end', async () => {
    const rig = await aTcpRig({
      makeStore: ({ scheduler }) => new FaultyStore(new MemoryImage(), slowly(scheduler)),
    })
    const clients = await Promise.all(numbers(4, 0).map(() => rig.greeted()))

    // Each of them fills a commit by itself, while the commit before it takes its time.
    for (const client of clients) {
      for (const id of numbers(6, 2)) client.send(id, enqueueOf('mail', 1, MIB))
    }
    await until(() => rig.partition.commits.isFull)
    const producer = await rig.greeted()
    producer.send(2, enqueueOf('mail', 1))
    await rig.passUntil(() => clients.every(({ messages }) => messages.length === 7))

    expect(await producer.answer<'enqueue'>(2)).toMatchObject({ count: 1 })
    expect(rig.partition.state.tasks.count).toBe(25)
    for (const client of clients) {
      expect(answeredIds(client).sort((a, b) => a - b)).toEqual(numbers(7, 1))
    }
  })
})

describe('a client that does not read', () => {
  it('is not read either, once so many bytes wait for it', async () => {
    const rig = await aTcpRig({ connection: { outputBytesMax: MIB / 4, inFlightMax: 1 } })
    const client = await rig.greeted()
    const witness = await rig.greeted()
    const { ids = [] } = await witness.ask(2, enqueueOf('mail', 1, MIB))
    client.pause()

    const asked = numbers(40, 10)
    client.sendAll(asked.map((id) => [id, getOf(ids[0] as Uint8Array)] as const))
    await until(() => rig.answers.length > 3)
    for (const id of numbers(200, 3)) await witness.ask(id, PING)
    expect(rig.answers.filter(({ verb }) => verb === 'get').length).toBeLessThan(40)

    client.resume()
    await Promise.all(asked.map((id) => client.answer(id)))
    expect(await client.ask(2, PING)).toHaveProperty('wallMs')
  })

  it('is cut off after a while', async () => {
    const rig = await aTcpRig({ connection: { outputBytesMax: 64 * MIB } })
    await stuffed(rig)

    rig.world.pass(29_000)
    expect(rig.server.connectionCount).toBe(1)
    rig.world.pass(3_000)
    await rig.happened('closed', 2)

    expect(rig.events.at(-1)?.reason).toBe('the client did not read its answers')
  })

  it('is cut off at once when twice the bytes wait for it', async () => {
    const rig = await aTcpRig({
      connection: { outputBytesMax: MIB },
      makeStore: ({ scheduler }) => new FaultyStore(new MemoryImage(), slowly(scheduler)),
    })
    const client = await rig.greeted()
    const producer = await rig.greeted()
    client.pause()
    producer.send(2, enqueueOf('mail', 1))
    await until(() => rig.partition.state.tasks.count === 1)

    // They all wait for that commit, and nobody knows how large their answers will be.
    client.sendAll(numbers(50, 10).map((id) => [id, MANY_LEASES] as const))
    client.send(2, claimOf(1, 'empty'))
    await until(() => rig.pipeline.parkedClaims === 1)
    rig.world.pass(1_000)
    await rig.happened('closed')

    expect(rig.events.at(-1)?.reason).toBe('the client reads its answers too slowly')
  })

  it('is refused what is large while much waits for it, and gets it later', async () => {
    const rig = await aTcpRig({ connection: { outputBytesMax: 2 * MIB } })
    const client = await rig.greeted()
    const { ids = [] } = await client.ask(2, enqueueOf('mail', 1, MIB))
    const asked = numbers(20, 10)

    // All of them are answered in one turn, before the socket can take any of it.
    client.sendAll(asked.map((id) => [id, getOf(ids[0] as Uint8Array)] as const))
    const answers = await Promise.allSettled(asked.map((id) => client.answer<'get'>(id)))

    const refused = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason] : [],
    )
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(20)
    for (const error of refused as TqError[]) {
      expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retryAfterMs: 100 } })
    }
    expect((await client.ask(100, getOf(ids[0] as Uint8Array))).payload).toHaveLength(MIB)
  })
})

describe('deadlines', () => {
  const closedFor = async (rig: TcpRig): Promise<string | undefined> => {
    await rig.happened('closed')
    return rig.events.find(({ event }) => event === 'closed')?.reason
  }

  it('end a connection that does not say hello', async () => {
    const rig = await aTcpRig()
    const client = await rig.connect()
    client.write(Uint8Array.of(0, 0))

    rig.world.pass(5_000)
    expect(client.isClosed).toBe(false)
    rig.world.pass(1_500)

    expect(await closedFor(rig)).toBe('no hello came in time')
    await client.ended
  })

  it('end a connection that dribbles a frame', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()
    const witness = await rig.greeted()
    client.writeHeader(1_000)
    for (let second = 0; second < 12; second += 1) {
      client.write(Uint8Array.of(0x94))
      await witness.ask(second + 2, PING)
      rig.world.pass(1_000)
    }

    expect(await closedFor(rig)).toBe('a frame was not completed in time')
    expect(rig.server.connectionCount).toBe(1)
  })

  it('end a connection without a word for a minute, but not one that waits or pings', async () => {
    const rig = await aTcpRig()
    const [silent, waiting, pinging] = [
      await rig.greeted(),
      await rig.greeted(),
      await rig.greeted(),
    ]
    waiting.send(2, claimOf(1))
    await waiting.ask(3, PING)
    for (let second = 0; second < 29; second += 1) rig.world.pass(1_000)
    await pinging.ask(2, PING)
    for (let second = 0; second < 35; second += 1) rig.world.pass(1_000)

    await silent.ended
    // Its claim was answered after 30 s; only then did the quiet begin.
    expect(await waiting.answer<'claim'>(2)).toMatchObject({ tasks: [] })
    expect(await pinging.ask(3, PING)).toHaveProperty('wallMs')
    expect(rig.server.connectionCount).toBe(2)
  })

  it('do not end connections because this process stood still', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()

    rig.world.standStill(300_000)
    client.send(2, PING)
    rig.world.pass(1_000)
    await client.answer(2)
    rig.world.pass(1_000)

    expect(rig.server.connectionCount).toBe(1)
  })

  it('end a connection that was ended and does not go', async () => {
    const rig = await aTcpRig()
    const client = await rig.greeted()
    client.writeHeader(0)
    await client.ended

    rig.world.pass(5_000)
    expect(await closedFor(rig)).toBe('a frame must not be empty, got 0 bytes')
  })

  it('give a client that was ended the time to read its last answers', async () => {
    const rig = await aTcpRig({ connection: { outputBytesMax: 64 * MIB } })
    const { client, asked } = await stuffed(rig)
    client.writeHeader(0)
    await until(() => rig.pipeline.parkedClaims === 0)

    rig.world.pass(10_000)
    expect(rig.server.connectionCount).toBe(1)
    client.resume()
    await client.ended

    expect(answeredIds(client)).toEqual(expect.arrayContaining([...asked]))
    expect(client.messages.at(-1)).toMatchObject({ kind: 'refusal', id: 0 })
  })

  it('end such a client, too, if it reads nothing', async () => {
    const rig = await aTcpRig({ connection: { outputBytesMax: 64 * MIB } })
    const { client } = await stuffed(rig)
    client.writeHeader(0)

    await rig.passUntil(() => rig.server.connectionCount === 0)
  })
})

/** A client that asked for more than the system's buffers hold, and does not read it. */
async function stuffed(
  rig: TcpRig,
): Promise<{ readonly client: RawClient; readonly asked: readonly number[] }> {
  const producer = await rig.greeted()
  const { ids = [] } = await producer.ask(2, enqueueOf('bulk', 1, MIB))
  producer.destroy()
  await rig.happened('closed')
  const client = await rig.greeted()
  client.pause()
  const asked = numbers(16, 100)
  client.send(2, claimOf(1))
  client.sendAll(asked.map((id) => [id, getOf(ids[0] as Uint8Array)] as const))
  await until(() => rig.answers.filter(({ verb }) => verb === 'get').length === asked.length)
  return { client, asked }
}

/** Commits land when a test lets time pass. */
function slowly(scheduler: Scheduler): FaultyStoreOptions {
  const random = { chance: () => 0.5, fill: (bytes: Uint8Array) => void bytes.fill(1) }
  return { scheduler, random, plan: { ...NO_FAULTS, commitMsMax: 1_000 } }
}
