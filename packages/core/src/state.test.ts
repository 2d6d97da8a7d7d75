// The states of a task: the whole table of transitions, once more and by hand.

import { describe, expect, it } from 'vitest'
import {
  isTaskState,
  isTerminal,
  isTransition,
  LIVE_STATES,
  reasonOfCode,
  REASONS,
  stateOfCode,
  TASK_STATE_NAMES,
  TASK_STATES,
  TERMINAL_STATES,
  TRANSITIONS,
  type Reason,
  type TaskState,
} from './state.ts'

/** Every allowed transition in words; what is not here is not allowed. */
const ALLOWED = `
  scheduled > queued     due
  scheduled > cancelled  cancelled
  scheduled > expired    expired
  queued > assigned      claimed
  queued > cancelled     cancelled
  queued > expired       expired
  queued > dead          unreadable_payload
  assigned > running     started
  assigned > queued      released reply_lost lease_expired worker_lost
  assigned > retrying    failed
  assigned > dead        attempts_exhausted losses_exhausted not_retryable unreadable_payload
  assigned > completed   completed
  assigned > cancelled   cancelled
  running > queued       released reply_lost lease_expired worker_lost
  running > retrying     failed timed_out
  running > dead         attempts_exhausted losses_exhausted not_retryable unreadable_payload
  running > completed    completed
  running > cancelled    cancelled
  retrying > queued      due
  retrying > cancelled   cancelled
  retrying > expired     expired
  dead > queued          redriven
  cancelled > queued     redriven
  expired > queued       redriven
`

const allowed = new Set(
  ALLOWED.trim()
    .split('\n')
    .flatMap((line) => {
      const [from, , to, ...reasons] = line.trim().split(/\s+/)
      return reasons.map((reason) => `${from} > ${to} ${reason}`)
    }),
)
const reasons = Object.keys(REASONS) as Reason[]

describe('transitions', () => {
  it('are exactly the documented ones, for every pair of states and every reason', () => {
    for (const from of TASK_STATE_NAMES) {
      for (const to of TASK_STATE_NAMES) {
        for (const reason of reasons) {
          const words = `${from} > ${to} ${reason}`
          expect([words, isTransition(from, to, reason)]).toEqual([words, allowed.has(words)])
        }
      }
    }
  })

  it('lead out of a terminal state only by redrive', () => {
    for (const from of TERMINAL_STATES) {
      expect(Object.values(TRANSITIONS[from]).flat()).toEqual(
        from === 'completed' ? [] : ['redriven'],
      )
    }
  })

  it('lead from every live state to cancelled, and to expired unless a worker has begun', () => {
    for (const from of LIVE_STATES) {
      expect(isTransition(from, 'cancelled', 'cancelled')).toBe(true)
      expect(isTransition(from, 'expired', 'expired')).toBe(!TASK_STATES[from].held)
    }
  })

  it('use every reason but that of the first state', () => {
    const used = new Set(
      TASK_STATE_NAMES.flatMap((from) => Object.values(TRANSITIONS[from]).flat()),
    )

    expect(reasons.filter((reason) => !used.has(reason))).toEqual(['enqueued'])
  })
})

describe('states', () => {
  it('are live or terminal', () => {
    expect(LIVE_STATES).toEqual(['scheduled', 'queued', 'assigned', 'running', 'retrying'])
    expect(TERMINAL_STATES).toEqual(['completed', 'dead', 'cancelled', 'expired'])
    for (const state of TASK_STATE_NAMES) {
      expect(isTerminal(state)).toBe(TERMINAL_STATES.includes(state as never))
    }
  })

  it('are held only while a worker has them', () => {
    expect(TASK_STATE_NAMES.filter((state) => TASK_STATES[state].held)).toEqual([
      'assigned',
      'running',
    ])
  })

  it('have codes that never change, because they are on disk', () => {
    const codes = TASK_STATE_NAMES.map((state) => [state, TASK_STATES[state].code])
    expect(Object.fromEntries(codes)).toEqual({
      scheduled: 2,
      queued: 3,
      assigned: 4,
      running: 5,
      retrying: 6,
      completed: 7,
      dead: 8,
      cancelled: 9,
      expired: 10,
    })
    expect(Object.values(REASONS)).toEqual(Array.from({ length: 18 }, (_, at) => at + 1))
  })

  it('are found by code', () => {
    for (const state of TASK_STATE_NAMES) expect(stateOfCode(TASK_STATES[state].code)).toBe(state)
    for (const reason of reasons) expect(reasonOfCode(REASONS[reason])).toBe(reason)
    for (const code of [0, 1, 11, -1, 2.5]) expect(stateOfCode(code)).toBeUndefined()
    for (const code of [0, 19, -1]) expect(reasonOfCode(code)).toBeUndefined()
  })

  it('are told from other words', () => {
    const words: unknown[] = ['queued', 'pending', 'toString', '', 5, null, undefined]
    expect(words.filter(isTaskState)).toEqual(['queued' satisfies TaskState])
  })
})
