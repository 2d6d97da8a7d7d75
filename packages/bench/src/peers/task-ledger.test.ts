// The ledger that makes a run void.

import { describe, expect, it } from 'vitest'
import { TaskLedger } from './task-ledger.ts'

describe('the ledger of a run', () => {
  it('has nothing to say if every task came once', () => {
    expect(verdictOn([102, 100, 101])).toEqual({ lost: 0, duplicated: 0, strange: 0 })
  })

  it('tells a task that did not come', () => {
    expect(verdictOn([100, 102])).toEqual({ lost: 1, duplicated: 0, strange: 0 })
  })

  it('tells each time that a task came again', () => {
    expect(verdictOn([100, 101, 101, 102, 101])).toEqual({ lost: 0, duplicated: 2, strange: 0 })
  })

  it('tells tasks of other runs, and what is no task', () => {
    expect(verdictOn([99, 103, Number.NaN, 100.5, 100, 101, 102])).toEqual({
      lost: 0,
      duplicated: 0,
      strange: 4,
    })
  })
})

function verdictOn(numbers: readonly number[]): ReturnType<TaskLedger['verdict']> {
  const ledger = new TaskLedger(100, 3)
  for (const number of numbers) ledger.note(number)
  return ledger.verdict()
}
