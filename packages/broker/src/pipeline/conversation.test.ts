// One answer for each request, and none to who is gone.

import { decodeServerMessage, type ServerMessage } from '@tq/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { aSession } from '../../test/task-builder.ts'
import { Conversation } from './conversation.ts'

describe('a conversation', () => {
  let said: ServerMessage[]
  let answered: string[]
  let isFull: boolean
  let conversation: Conversation
  beforeEach(() => {
    said = []
    answered = []
    isFull = false
    const { id, principal } = aSession('one')
    const sink = {
      send: (frame: Uint8Array) => void said.push(decodeServerMessage(frame.subarray(4))),
      setReading: () => undefined,
      get isFull() {
        return isFull
      },
    }
    conversation = new Conversation(sink, { principal, session: id }, (verb, code) =>
      answered.push(`${verb} ${code}`),
    )
  })

  it('answers each request once under its id, and counts how', () => {
    conversation.begin(1, 'ping')
    conversation.begin(2, 'get')
    expect(conversation.inFlight).toBe(2)

    conversation.reply(1, { wallMs: 5 }, 0)
    conversation.refuse(2, 'NOT_FOUND', 'no such task', { index: 3 })

    expect(said[0]).toEqual({ kind: 'reply', id: 1, result: { wallMs: 5 }, lsn: 0 })
    expect(said[1]).toMatchObject({ kind: 'refusal', id: 2 })
    expect(answered).toEqual(['ping OK', 'get NOT_FOUND'])
    expect(conversation.inFlight).toBe(0)
  })

  it('does not take a request under the id of one that waits', () => {
    expect(conversation.begin(1, 'claim')).toBe(true)
    expect(conversation.begin(1, 'ping')).toBe(false)

    conversation.refuseUncounted(1, 'BAD_REQUEST', 'request id 1 is still outstanding')

    expect(conversation.inFlight).toBe(1)
    expect(answered).toEqual([])
    conversation.reply(1, { tasks: [], leaseMs: 0 }, 0)
    expect(conversation.begin(1, 'ping')).toBe(true)
  })

  it('says nothing to who is gone, and still counts', () => {
    conversation.begin(1, 'ping')
    conversation.begin(2, 'ping')
    conversation.isOpen = false

    conversation.reply(1, {}, 0)
    conversation.refuse(2, 'UNAVAILABLE', 'the broker is stopping')
    conversation.push('closing', {})

    expect(said).toEqual([])
    expect(answered).toEqual(['ping OK', 'ping UNAVAILABLE'])
  })

  it('refuses what may be large to who does not read, and nothing that was carried out', () => {
    isFull = true
    conversation.begin(1, 'list')
    conversation.begin(2, 'enqueue')

    conversation.reply(1, { tasks: [], cursor: null }, 0)
    conversation.reply(2, { count: 1 }, 0)

    expect(said.map(({ kind }) => kind)).toEqual(['refusal', 'reply'])
    expect(answered).toEqual(['list RESOURCE_EXHAUSTED', 'enqueue OK'])
  })

  it('gives the bytes of a request back while it waits, and refuses it if too many wait', () => {
    const counted: string[] = []
    let hasRoom = true
    conversation.input = {
      hold: (bytes) => void counted.push(`hold ${bytes}`),
      free: (bytes) => void counted.push(`free ${bytes}`),
      park: (bytes) => counted.push(`park ${bytes}`) > 0 && hasRoom,
      unpark: (bytes) => void counted.push(`unpark ${bytes}`),
    }
    conversation.begin(1, 'claim', 10)
    conversation.begin(2, 'wait', 20)

    expect(conversation.park(1)).toBe(true)
    hasRoom = false
    expect(conversation.park(2)).toBe(false)
    conversation.dropWaiting()

    expect(counted).toEqual(['hold 10', 'hold 20', 'park 10', 'park 20', 'free 20', 'unpark 10'])
    expect(answered).toEqual(['wait RESOURCE_EXHAUSTED'])
  })

  it('refuses what no client would take', () => {
    conversation.begin(1, 'list')

    conversation.reply(1, { tasks: [new Uint8Array(4 * 1024 * 1024)], cursor: null }, 0)

    expect(said[0]).toMatchObject({ kind: 'refusal', id: 1 })
    expect(answered).toEqual(['list TOO_LARGE'])
  })
})
