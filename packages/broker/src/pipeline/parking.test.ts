// Claims that wait: in order, until their time, their work or their connection is over.

import { beforeEach, describe, expect, it } from 'vitest'
import { ManualScheduler } from '../../test/manual-scheduler.ts'
import { claimOf } from '../../test/request-builder.ts'
import { aSession } from '../../test/task-builder.ts'
import { DEFAULT_QUEUE_SETTINGS, Queue } from '../engine/queue.ts'
import { Conversation } from './conversation.ts'
import { type ParkedClaim, Parking } from './parking.ts'
import type { Line } from './queue-lines.ts'

const SINK = { send: () => undefined, setReading: () => undefined, isFull: false }

function aConversation(session: string): Conversation {
  const { id, principal } = aSession(session)
  return new Conversation(SINK, { principal, session: id }, () => undefined)
}

describe('the parking', () => {
  let scheduler: ManualScheduler
  let parking: Parking
  let late: number[]
  /** By request id. */
  let kinds: Map<number, string>
  beforeEach(() => {
    scheduler = new ManualScheduler()
    parking = new Parking(scheduler)
    late = []
    kinds = new Map()
  })

  function park(
    conversation: Conversation,
    requestId: number,
    wish: {
      readonly queues?: readonly string[]
      readonly claim?: number
      readonly waitMs?: number
      readonly kind?: string
    } = {},
  ): void {
    const { kind = 'any', ...asked } = wish
    const request = claimOf({ waitMs: 1_000, claim: requestId, ...asked })
    kinds.set(requestId, kind)
    parking.park({ conversation, requestId, request }, () => late.push(requestId))
  }

  const queues = new Map(
    ['mail', 'video', 'sync'].map((name, number) => [
      name,
      new Queue(number, name, DEFAULT_QUEUE_SETTINGS),
    ]),
  )

  function parkedLines(name: string): Line<ParkedClaim>[] {
    const queue = queues.get(name) as Queue
    return parking.linesOn(queue, ({ requestId }) => kinds.get(requestId) ?? '')
  }

  /** The request ids of a queue's lines, each in its order. */
  function linesOn(queue: string): number[][] {
    const lines: number[][] = []
    for (const line of parkedLines(queue)) {
      const waiting: ParkedClaim[] = []
      for (let { first } = line; first !== undefined; { first } = line) {
        waiting.push(first)
        parking.unpark(first.conversation, first.requestId)
      }
      lines.push(waiting.map(({ requestId }) => requestId))
    }
    return lines
  }

  it('keeps the claims on a queue in the order in which they came', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    park(one, 1)
    park(other, 2)
    park(one, 3, { queues: ['mail', 'video'] })

    expect([parking.countOn('mail'), parking.countOn('video'), parking.size]).toEqual([3, 1, 3])
    expect(parkedLines('video').map(({ first }) => first?.requestId)).toEqual([3])
    expect(linesOn('mail')).toEqual([[1, 2, 3]])
    expect(linesOn('sync')).toEqual([])
    expect([parking.countOn('mail'), parking.countOn('video'), parking.size]).toEqual([0, 0, 0])
  })

  it('has a line for each kind of claim, and knows which has waited longest', () => {
    const one = aConversation('one')
    park(one, 1, { kind: 'plain' })
    park(one, 2, { kind: 'gpu' })
    park(one, 3, { kind: 'plain' })

    const [plain, gpu] = parkedLines('mail')
    expect((plain?.since ?? 0) < (gpu?.since ?? 0)).toBe(true)
    parking.unpark(one, 1)
    expect((plain?.since ?? 0) > (gpu?.since ?? 0)).toBe(true)

    expect(linesOn('mail')).toEqual([[3], [2]])
  })

  it('forms its lines anew, in the order of coming, when the queue asks for something else', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    park(one, 1)
    park(other, 2)
    expect(parkedLines('mail')).toHaveLength(1)
    park(one, 3, { kind: 'gpu' })
    kinds.set(2, 'gpu')
    expect(parkedLines('mail').map(({ first }) => first?.requestId)).toEqual([1, 3])

    const queue = queues.get('mail') as Queue
    queue.groupsVersion += 1

    expect(linesOn('mail')).toEqual([[1], [2, 3]])
  })

  it('puts the claims of a session at the end of other lines', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    park(one, 1, { kind: 'plain' })
    park(other, 2, { kind: 'gpu', queues: ['mail', 'mail', 'video'] })

    parkedLines('mail')
    kinds.set(1, 'gpu')
    const moved = parking.regroup(one.sessionKey)

    expect(moved.map(({ requestId }) => requestId)).toEqual([1])
    expect(parking.countOn('mail')).toBe(2)
    expect(linesOn('mail')).toEqual([[2, 1]])
    expect(parking.regroup(one.sessionKey)).toEqual([])
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
