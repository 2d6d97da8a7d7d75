// Requests without room: in order, unread ones behind them, and time with them if it takes long.

import { beforeEach, describe, expect, it } from 'vitest'
import { aSession } from '../../test/task-builder.ts'
import { Backlog } from './backlog.ts'
import { Conversation } from './conversation.ts'

interface Reader {
  readonly conversation: Conversation
  isReading: boolean
}

/** A conversation that notes whether it is read from. */
function aReader(session: string, onReading: () => void = () => undefined): Reader {
  const { id, principal } = aSession(session)
  const sink = {
    isFull: false,
    send: () => undefined,
    setReading: (isReading: boolean) => {
      reader.isReading = isReading
      if (isReading) onReading()
    },
  }
  const conversation = new Conversation(sink, { principal, session: id }, () => undefined)
  const reader: Reader = { conversation, isReading: true }
  return reader
}

describe('a backlog', () => {
  let nowMs: number
  let room: number
  let done: number[]
  let heldUp: number[]
  let backlog: Backlog
  beforeEach(() => {
    nowMs = 0
    room = 0
    done = []
    heldUp = []
    backlog = new Backlog({
      clock: { wallMs: () => 0, monotonicMs: () => nowMs },
      hasRoom: () => room > 0,
      onOver: (ms) => heldUp.push(ms),
    })
  })

  function add({ conversation }: Reader, number: number): void {
    const run = (): void => {
      room -= 1
      done.push(number)
    }
    backlog.add({ conversation, run })
  }

  it('carries out what waits in the order in which it came, as far as there is room', () => {
    const [one, other] = [aReader('one'), aReader('other')]
    add(one, 1)
    add(other, 2)
    add(one, 3)

    room = 2
    backlog.drain()
    expect(done).toEqual([1, 2])
    room = 5
    backlog.drain()

    expect(done).toEqual([1, 2, 3])
  })

  it('stops reading from who has to wait, and goes on with each whose turn has come', () => {
    const [one, other] = [aReader('one'), aReader('other')]
    add(one, 1)
    add(other, 2)
    expect([one.isReading, other.isReading]).toEqual([false, false])

    room = 1
    backlog.drain()
    expect([one.isReading, other.isReading]).toEqual([true, false])
    room = 1
    backlog.drain()

    expect([one.isReading, other.isReading]).toEqual([true, true])
  })

  it('puts who reads on behind those who wait already', () => {
    const one = aReader('one', () => add(one, 9))
    add(one, 1)
    add(aReader('other'), 2)
    room = 1

    backlog.drain()
    room = 2
    backlog.drain()

    expect(done).toEqual([1, 2, 9])
  })

  it('is held up when somebody has waited for long, and no earlier', () => {
    expect(backlog.isHeldUp).toBe(false)
    add(aReader('one'), 1)
    nowMs = 249
    expect(backlog.isHeldUp).toBe(false)
    nowMs = 250
    expect(backlog.isHeldUp).toBe(true)

    room = 1
    backlog.drain()

    expect(backlog.isHeldUp).toBe(false)
  })

  it('tells for how long nobody was listened to, once nobody waits for long any more', () => {
    add(aReader('one'), 1)
    nowMs = 50
    add(aReader('other'), 2)

    room = 1
    nowMs = 400
    backlog.drain()
    expect(heldUp).toEqual([]) // the other one waits on
    room = 1
    nowMs = 700
    backlog.drain()
    backlog.drain()

    expect(heldUp).toEqual([650])
  })

  it('makes no fuss about short waits', () => {
    add(aReader('one'), 1)
    nowMs = 200
    room = 1

    backlog.drain()

    expect(heldUp).toEqual([])
  })
})
