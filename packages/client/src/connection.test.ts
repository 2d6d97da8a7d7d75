// Laws of one connection: greeting, silence, broken bytes.

import { encodeReplyFrame, encodeRefusalFrame, type TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { ManualTime } from '../test/manual-time.ts'
import { HELLO } from '../test/scripted-broker.ts'
import { clientSettings } from './client-options.ts'
import { Connection, FIRST_USER_ID } from './connection.ts'
import type { WireEvents } from './wire.ts'

interface Rig {
  readonly time: ManualTime
  readonly connection: Connection
  readonly wire: WireEvents
  readonly writes: number[]
  readonly seen: string[]
  readonly losses: TqError[]
}

/** A connection over a wire that the test plays. */
function aConnection(): Rig {
  const time = new ManualTime()
  const writes: number[] = []
  const seen: string[] = []
  const losses: TqError[] = []
  let wire: WireEvents | undefined
  const settings = clientSettings({
    clock: time,
    scheduler: time,
    dial: (_address, events) => {
      wire = events
      return {
        write: (chunks) => {
          writes.push(chunks.length)
          return true
        },
        end: () => void seen.push('end'),
        destroy: () => void seen.push('destroy'),
      }
    },
  })
  const address = { host: 'broker', port: 1 }
  const connection = new Connection(
    settings,
    { address, session: new Uint8Array(16) },
    {
      ready: () => void seen.push('ready'),
      message: (message) => void seen.push(message.kind),
      drained: () => void seen.push('drained'),
      lost: (error) => void losses.push(error),
    },
  )
  if (wire === undefined) throw new Error('the connection did not dial')
  return { time, connection, wire, writes, seen, losses }
}

function aReadyConnection(): Rig {
  const rig = aConnection()
  rig.wire.opened()
  rig.wire.data(encodeReplyFrame(1, HELLO, 0))
  return rig
}

describe('Connection', () => {
  it('greets when the wire is open, and is ready when it is greeted back', () => {
    const { wire, writes, seen } = aConnection()

    wire.opened()
    wire.opened()
    expect(writes).toEqual([1])
    wire.data(encodeReplyFrame(1, HELLO, 0))

    expect(seen).toEqual(['ready'])
  })

  it('gives up on a broker that does not accept, or does not greet back, in time', () => {
    const silent = aConnection()
    silent.time.advance(5_000)
    const mute = aConnection()
    mute.wire.opened()
    mute.time.advance(5_000)

    expect(silent.losses[0]?.message).toContain('did not accept a connection within 5000 ms')
    expect(mute.losses[0]?.message).toContain('did not greet back within 5000 ms')
    expect(silent.seen).toEqual(['destroy'])
  })

  it('pings a quiet broker, and leaves it after three silent intervals', () => {
    const { time, writes, losses } = aReadyConnection()

    time.advance(5_000)
    expect(writes).toHaveLength(2)
    time.advance(5_000)
    expect(writes).toHaveLength(2) // one ping at a time
    expect(losses).toHaveLength(0)
    time.advance(5_000)

    expect(losses[0]?.message).toContain('has been silent for 15000 ms')
  })

  it('stays with a broker that answers pings, and learns how fresh its words are', () => {
    const { time, connection, wire, losses } = aReadyConnection()
    for (let beat = 0; beat < 10; beat += 1) {
      time.advance(5_000)
      wire.data(encodeReplyFrame(1, { wallMs: 1 }, 0))
    }

    expect(losses).toHaveLength(0)
    expect(connection.answeredSentAtMs).toBe(51_000)
    connection.noteAnswered(40_000)
    expect(connection.answeredSentAtMs).toBe(51_000)
  })

  it('does not blame the broker for a stall of its own', () => {
    const { time, losses } = aReadyConnection()

    time.stall(60_000)
    time.advance(1)

    expect(losses).toHaveLength(0)
  })

  it('hands over answers, refusals and pushes that are not its own', () => {
    const { wire, seen } = aReadyConnection()

    wire.data(encodeReplyFrame(FIRST_USER_ID, {}, 0))
    wire.data(encodeRefusalFrame(FIRST_USER_ID, 'NOT_FOUND', 'no'))
    wire.drained()

    expect(seen).toEqual(['ready', 'reply', 'refusal', 'drained'])
  })

  it('is lost with what the broker says to all of it', () => {
    const { wire, losses } = aReadyConnection()

    wire.data(encodeRefusalFrame(0, 'TOO_LARGE', 'a frame is too large'))

    expect(losses[0]).toMatchObject({ code: 'TOO_LARGE' })
  })

  it('is lost by bytes that are no messages', () => {
    const { wire, losses } = aReadyConnection()

    wire.data(Uint8Array.of(0, 0, 0, 1, 0xc0))

    expect(losses[0]).toMatchObject({ code: 'UNAVAILABLE' })
    expect(losses[0]?.message).toContain('are not protocol 1')
  })

  it('is lost by a greeting that no broker would send', () => {
    for (const result of [
      null,
      {},
      { ...HELLO, limits: null },
      { ...HELLO, heartbeatMs: 'soon' },
    ]) {
      const { wire, losses, seen } = aConnection()
      wire.opened()

      wire.data(encodeReplyFrame(1, result as never, 0))

      expect(losses[0]?.message).toContain('the answer to hello must name heartbeatMs')
      expect(seen).not.toContain('ready')
    }
  })

  it('knows a web server, and says which port is meant', () => {
    const { wire, losses } = aConnection()
    wire.opened()

    wire.data(new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n\r\n'))

    expect(losses[0]).toMatchObject({ code: 'UNAVAILABLE' })
    expect(losses[0]?.message).toMatch(/broker:1 speaks HTTP: give the port for clients .*7461/)
  })

  it('says nothing after it was closed from this side', () => {
    const ended = aReadyConnection()
    ended.connection.end()
    ended.connection.end()
    const destroyed = aReadyConnection()
    destroyed.connection.destroy()
    destroyed.connection.destroy()

    for (const { connection, wire, time, losses, writes } of [ended, destroyed]) {
      const before = writes.length
      wire.data(encodeReplyFrame(FIRST_USER_ID, {}, 0))
      wire.closed(undefined)
      wire.drained()
      connection.send([new Uint8Array(1)])
      time.advance(60_000)
      expect(losses).toEqual([])
      expect(writes).toHaveLength(before)
    }
    expect(ended.seen).toEqual(['ready', 'end'])
    expect(destroyed.seen).toEqual(['ready', 'destroy'])
  })

  it('tells a broker that closed from one that could not be reached', () => {
    const closed = aReadyConnection()
    closed.wire.closed(undefined)
    const refused = aConnection()
    refused.wire.closed(new Error('connect ECONNREFUSED'))

    expect(closed.losses[0]?.message).toContain('lost the connection to the broker at broker:1')
    expect(refused.losses[0]?.message).toContain('cannot connect to the broker at broker:1')
    expect(refused.losses[0]?.message).toContain('ECONNREFUSED')
  })
})
