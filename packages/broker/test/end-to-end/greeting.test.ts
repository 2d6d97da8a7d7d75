// The first words of a connection, and what is said to those who do not know them.

import { createHash, randomBytes } from 'node:crypto'
import { encodeRequestFrame, limits, type TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { aQueueName, aTask } from './task-spec.ts'
import { aBroker, sharedBroker } from './test-broker.ts'
import { heldOf, refusalOf, type WireClient, WireClient as Wire } from './wire-client.ts'

const broker = sharedBroker()

describe('the first request', () => {
  it('is hello; anything else is refused and ends the connection', async () => {
    const wire = await broker.wire({ hello: false })

    expect(await refusalOf(wire.ask({ verb: 'ping' }))).toBe('UNAUTHENTICATED')

    await wire.closed
  })

  it('is refused for another version of the protocol, naming the one that is spoken', async () => {
    const wire = await broker.wire({ hello: false })
    const client = { name: 'old', version: '0' }

    const error = await wire
      .ask({ verb: 'hello', protocol: 2, client })
      .catch((refusal: TqError) => refusal)

    expect(error).toMatchObject({ code: 'UNSUPPORTED', details: { protocol: 1 } })
    await wire.closed
  })

  it('comes once: a second hello is refused, and the conversation goes on', async () => {
    const wire = await broker.wire()

    expect(await refusalOf(wire.hello())).toBe('BAD_REQUEST')

    expect(await wire.ask<'ping'>({ verb: 'ping' })).toHaveProperty('wallMs')
  })

  it('must present a token where tokens are configured', async () => {
    const token = randomBytes(32).toString('base64url')
    const sha256 = createHash('sha256').update(token).digest('hex')
    const guarded = await aBroker(`--auth-tokens=[{ name: web, sha256: ${sha256} }]`)

    for (const wrong of [undefined, 'short', token.slice(1), `${token}x`]) {
      const wire = await guarded.wire({ hello: false })
      const hello = wire.hello(wrong === undefined ? {} : { token: wrong })
      expect(await refusalOf(hello)).toBe('UNAUTHENTICATED')
      await wire.closed
    }
    const wire = await guarded.wire({ hello: false })
    expect(await wire.hello({ token })).toMatchObject({ principal: 'web' })
  })
})

describe('a session of another principal', () => {
  it('cannot be taken, kept alive or spoken for by whoever learns its name', async () => {
    const tokens = ['one', 'two'].map((name) => ({ name, token: randomBytes(32).toString('hex') }))
    const list = tokens.map(({ name, token }) => {
      return `{ name: ${name}, sha256: ${createHash('sha256').update(token).digest('hex')} }`
    })
    const guarded = await aBroker(`--auth-tokens=[${list.join(', ')}]`)
    const queue = aQueueName()
    const owner = await guarded.wire({ token: tokens[0]!.token })
    await owner.enqueue(queue, 2)
    const held = heldOf((await owner.claim(queue)).tasks[0])

    const token = tokens[1]!.token
    const impostor = await guarded.wire({ hello: false, session: owner.session })
    expect(await refusalOf(impostor.hello({ token }))).toBe('FORBIDDEN')
    await impostor.closed
    const thief = await guarded.wire({ token })
    const { session } = owner
    const beat = { verb: 'heartbeat', session, leases: [held], received: 9 } as const
    expect(await refusalOf(thief.ask<'heartbeat'>(beat))).toBe('FORBIDDEN')
    expect((await thief.complete(held)).refused?.[0]?.[1]).toBe('FORBIDDEN')
    expect((await thief.release(held)).refused?.[0]?.[1]).toBe('FORBIDDEN')

    expect(await owner.complete(held)).toEqual({ ok: 1 })
  })
})

describe('a frame that is too large', () => {
  it('ends the connection before hello beyond 4 KiB, by its header alone', async () => {
    const wire = await broker.wire({ hello: false })

    wire.write(headerOf(limits.FRAME_BYTES_MAX_BEFORE_HELLO + 1))

    await wire.closed
    expect(wire.strayRefusals).toMatchObject([
      { code: 'TOO_LARGE', details: { limit: 4_096, bytes: 4_097 } },
    ])
  })

  it('ends the connection after hello beyond 4 MiB; one of just that size is read', async () => {
    const wire = await broker.wire()
    const body = Buffer.alloc(limits.FRAME_BYTES_MAX, 0xc0)

    wire.write(headerOf(body.length))
    wire.write(body)
    await wire.closed
    // It was read to its end, and only then found to be no message.
    expect(wire.strayRefusals).toMatchObject([{ code: 'BAD_REQUEST' }])

    const other = await broker.wire()
    other.write(headerOf(limits.FRAME_BYTES_MAX + 1))
    await other.closed
    expect(other.strayRefusals).toMatchObject([{ code: 'TOO_LARGE' }])
  })

  it('does not keep others from being served meanwhile', async () => {
    const wire = await broker.wire()
    wire.write(headerOf(limits.FRAME_BYTES_MAX))
    wire.write(Buffer.alloc(limits.FRAME_BYTES_MAX / 2))

    const other = await broker.wire()

    expect(await other.ask<'ping'>({ verb: 'ping' })).toHaveProperty('wallMs')
  })
})

describe('garbage', () => {
  it('is refused and ended, whatever it is, and harms nobody else', async () => {
    const witness = await broker.wire()
    const queue = aQueueName()
    await witness.enqueue(queue, 3)
    for (let round = 0; round < 50; round += 1) {
      const wire = await broker.wire({ hello: round % 2 === 0 })
      // At the start a length of zero, a plausible length, or mere noise.
      const start = [[0, 0, 0, 0], [0, 0, 0, 60], [round]][round % 3]!
      wire.write(Buffer.concat([Uint8Array.from(start), randomBytes(4_000)]))
      wire.end()
      await wire.closed
    }

    expect(await witness.stats(queue)).toMatchObject({ queued: 3 })
    expect(broker.process.isRunning).toBe(true)
  })

  it('inside a frame is refused under its id, and the connection goes on', async () => {
    const wire = await broker.wire()
    const unknownKey = Buffer.from('9400cd03e8a470696e6781a16100', 'hex')
    const refused = wire.expect(1_000)
    wire.write(headerOf(unknownKey.length))
    wire.write(unknownKey)

    expect(await refusalOf(refused)).toBe('BAD_REQUEST')
    expect(await wire.ask<'ping'>({ verb: 'ping' })).toHaveProperty('wallMs')
  })

  it('under an id that is outstanding is refused, and the request with that id still answered', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const { id } = wire.beginClaim(queue, { waitMs: 30_000 })
    const answers = twoAnswersTo(wire, id)

    wire.write(encodeRequestFrame(id, { verb: 'ping' }))
    expect(await refusalOf(answers.first)).toBe('BAD_REQUEST')
    const [task] = await wire.enqueue(queue)

    const { tasks } = (await answers.second()) as { tasks: [[Uint8Array]] }
    expect(tasks[0][0]).toEqual(task)
  })
})

describe('bytes that come one at a time', () => {
  it('make the same conversation', async () => {
    const proxy = await broker.proxy()
    proxy.faults = { singleBytes: true }
    const queue = aQueueName()
    const wire = await Wire.connect(proxy.address)
    const payload = { text: 'ü'.repeat(1_000) }

    const [id] = await wire.enqueue(queue, [aTask(queue, { payload })])
    const held = heldOf((await wire.claim(queue)).tasks[0])
    expect(held.id).toEqual(id)
    expect(await wire.complete(held, Buffer.alloc(2_000, 7))).toEqual({ ok: 1 })
    expect((await wire.task(held.id)).end?.result).toHaveLength(2_000)
    wire.destroy()
  })
})

/** A client keeps one promise an id; here the id is answered twice. */
function twoAnswersTo(
  wire: WireClient,
  id: number,
): { readonly first: Promise<unknown>; readonly second: () => Promise<unknown> } {
  let second: Promise<unknown> | undefined
  const first = wire.expect(id).catch((error: unknown) => {
    second = wire.expect(id)
    throw error
  })
  return { first, second: () => second ?? Promise.reject(new Error('there was no first one')) }
}

function headerOf(bodyBytes: number): Uint8Array {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(bodyBytes)
  return header
}
