// Who waits for the end of a task hears of it once, or is sent away.

import { beforeEach, describe, expect, it } from 'vitest'
import { ManualScheduler } from '../../test/manual-scheduler.ts'
import { aSession } from '../../test/task-builder.ts'
import { Conversation } from './conversation.ts'
import { WaitingRoom } from './waiting-room.ts'

const SINK = { send: () => undefined, setReading: () => undefined, isFull: false }

function aConversation(session: string): Conversation {
  const { id, principal } = aSession(session)
  return new Conversation(SINK, { principal, session: id }, () => undefined)
}

describe('the waiting room', () => {
  let scheduler: ManualScheduler
  let room: WaitingRoom
  let late: number[]
  beforeEach(() => {
    scheduler = new ManualScheduler()
    room = new WaitingRoom(scheduler)
    late = []
  })

  function wait(conversation: Conversation, requestId: number, task: string, waitMs = 1_000): void {
    room.add({ conversation, requestId, task }, waitMs, () => late.push(requestId))
  }

  it('calls out all who wait for a task, and nobody else', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    wait(one, 1, 'a')
    wait(other, 2, 'a')
    wait(one, 3, 'b')

    expect(room.take('a').map(({ requestId }) => requestId)).toEqual([1, 2])
    expect(room.take('a')).toEqual([])
    expect(room.all().map(({ requestId }) => requestId)).toEqual([3])
    expect(room.isEmpty).toBe(false)
  })

  it('sends away who has waited long enough', () => {
    wait(aConversation('one'), 1, 'a', 100)

    scheduler.pass(99)
    expect(late).toEqual([])
    scheduler.pass(1)

    expect(late).toEqual([1])
    expect(room.isEmpty).toBe(true)
  })

  it('lets somebody go by conversation and request id', () => {
    const one = aConversation('one')
    wait(one, 1, 'a')

    expect(room.abort(aConversation('other'), 1)).toBeUndefined()
    expect(room.abort(one, 1)?.task).toBe('a')
    expect(room.abort(one, 1)).toBeUndefined()
    scheduler.pass(10_000)

    expect(late).toEqual([])
  })

  it('lets everybody of a conversation go that is gone', () => {
    const [one, other] = [aConversation('one'), aConversation('other')]
    wait(one, 1, 'a')
    wait(one, 2, 'b')
    wait(other, 3, 'b')

    room.leave(one)
    room.leave(one)

    expect(room.all().map(({ requestId }) => requestId)).toEqual([3])
    expect(scheduler.waitingCount).toBe(1)
  })
})
