// Laws of a request on its way.

import { VERBS } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { makeCall, mayHaveChanged, requestToSend } from './call.ts'

const SAFE = [
  'hello',
  'ping',
  'abort',
  'heartbeat',
  'get',
  'wait',
  'list',
  'stats',
  'workers',
  'startup-log',
  'backup',
]

describe('mayHaveChanged', () => {
  it.each([...VERBS])('knows %s', (verb) => {
    expect(mayHaveChanged(verb)).toBe(!SAFE.includes(verb))
  })
})

describe('requestToSend', () => {
  it('adds up the ages of an enqueue that was split off a refused one', () => {
    const call = makeCall(
      {
        request: { verb: 'enqueue', queue: 'q', tasks: [], fresh: false, sentAgoMs: 100 },
        deadlineAtMs: Infinity,
        done: () => {},
        failed: () => {},
      },
      0,
    )
    call.firstSentAtMs = 1_000

    expect(requestToSend(call, 1_050)).toMatchObject({ fresh: false, sentAgoMs: 150 })
  })
})
