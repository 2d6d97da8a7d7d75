// Claims that wait: in order, until their time, their work or their connection is over.

import { beforeEach, describe, expect, it } from 'vitest'
import { ManualScheduler } from '../../test/manual-scheduler.ts'
import { claimOf } from '../../test/request-builder.ts'
import { aSession } from '../../test/task-builder.ts'
import { Conversation } from './conversation.ts'
import { Parking } from './parking.ts'

const SINK = { send: () => undefined, setReading: () => undefined, isFull: false }

function aConversation(session: string): Conversation {
  const { id, principal } = aSession(session)
  return new Conversation(SINK, { principal, session: id }, () => undefined)
}

describe('the parking', () => {
  let scheduler: ManualScheduler
  let parking: Parking
  let late: number[]
  beforeEach(() => {
    scheduler = new ManualScheduler()
    parking = new Parking(scheduler)
    late = []
  })

  function park(
    conversation: Conversation,
    requestId: number,
    wish: {
      readonly queues?: readonly string[]
      readonly claim?: number
      readonly waitMs?: number
    } = {},
  ): void {
    const request = claimOf({ waitMs: 1_000, claim: requestId, ...wish })
    parking.park({ conversation, requestId, request }, () => late.push(requestId))
  }

  it('keeps the claims on a queue in the order in which they came', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    park(one, 1)
    park(other, 2)
    park(one, 3, { queues: ['mail', 'video'] })

    expect(parking.on('mail').map(({ requestId }) => requestId)).toEqual([1, 2, 3])
    expect(parking.on('video').map(({ requestId }) => requestId)).toEqual([3])
    expect(parking.on('sync')).toEqual([])
    expect([parking.countOn('mail'), parking.countOn('sync'), parking.size]).toEqual([3, 0, 3])
  })

  it('gives a claim up when its time has passed, once', () => {
    park(aConversation('one'), 1, { waitMs: 100 })
    park(aConversation('one'), 2, { waitMs: 200 })

    scheduler.pass(100)
    expect(late).toEqual([1])
    scheduler.pass(1_000)

    expect(late).toEqual([1, 2])
    expect([parking.size, parking.countOn('mail'), scheduler.waitingCount]).toEqual([0, 0, 0])
  })

  it('takes out a claim by conversation and request id', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    park(one, 1)

    expect(parking.unpark(other, 1)).toBeUndefined()
    expect(parking.unpark(one, 2)).toBeUndefined()
    expect(parking.unpark(one, 1)?.requestId).toBe(1)
    expect(parking.unpark(one, 1)).toBeUndefined()
    scheduler.pass(10_000)

    expect(late).toEqual([])
    expect(parking.size).toBe(0)
  })

  it('takes out all claims of a conversation that is gone', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    park(one, 1)
    park(one, 2, { queues: ['video'] })
    park(other, 3)

    parking.leave(one)
    parking.leave(one)

    expect(parking.all().map(({ requestId }) => requestId)).toEqual([3])
    expect(parking.countOn('video')).toBe(0)
  })

  it('finds the claim of a session by its number, whatever connection it came over', () => {
    const before = aConversation('one')
    park(before, 7, { claim: 5 })

    expect(parking.find(before.sessionKey, 5)?.requestId).toBe(7)
    expect(parking.find(before.sessionKey, 6)).toBeUndefined()
    expect(parking.find(aConversation('other').sessionKey, 5)).toBeUndefined()
  })
})
