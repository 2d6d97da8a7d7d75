// I22: what is read for all clients together is bounded, and whoever waits for room gets it in turn.

import { beforeEach, describe, expect, it, vi } from 'vitest'
import { InputBudget } from './input-budget.ts'

const KIB = 1024

describe('the input budget', () => {
  let budget: InputBudget
  beforeEach(() => {
    budget = new InputBudget(1_000 * KIB)
  })

  it('is full when so many bytes are held, and has room again when an eighth is free', () => {
    const onChange = vi.fn()
    budget.join(onChange)

    budget.hold(999 * KIB)
    expect([budget.isFull, onChange.mock.calls.length]).toEqual([false, 0])
    budget.hold(KIB)
    expect([budget.isFull, onChange.mock.calls.length]).toEqual([true, 1])
    budget.free(124 * KIB)
    expect([budget.isFull, onChange.mock.calls.length]).toEqual([true, 1])
    budget.free(KIB)

    expect([budget.isFull, onChange.mock.calls.length]).toEqual([false, 2])
    expect(budget.bytes).toBe(875 * KIB)
  })

  it('tells nobody who has left', () => {
    const onChange = vi.fn()
    budget.join(onChange)
    budget.leave(onChange)

    budget.hold(1_000 * KIB)

    expect(onChange).not.toHaveBeenCalled()
  })

  it('needs no room for small frames', () => {
    expect(budget.roomFor(16 * KIB, () => undefined)).toBeUndefined()
  })

  it('gives large frames half of it at most, in the order in which they asked', () => {
    const granted: string[] = []
    const first = budget.roomFor(400 * KIB, () => granted.push('first'))
    const second = budget.roomFor(200 * KIB, () => granted.push('second'))
    const third = budget.roomFor(50 * KIB, () => granted.push('third'))
    expect([first?.isGranted, second?.isGranted, third?.isGranted]).toEqual([true, false, false])

    first?.giveBack()

    expect([second?.isGranted, third?.isGranted]).toEqual([true, true])
    expect(granted).toEqual(['first', 'second', 'third'])
    expect(budget.bytes).toBe(250 * KIB)
  })

  it('lets a frame wait for requests that are carried out', () => {
    budget.hold(800 * KIB)
    const frame = budget.roomFor(300 * KIB, () => undefined)
    expect(frame?.isGranted).toBe(false)

    budget.free(100 * KIB)

    expect(frame?.isGranted).toBe(true)
  })

  it('forgets a frame that waited and will never come', () => {
    const first = budget.roomFor(500 * KIB, () => undefined)
    const second = budget.roomFor(500 * KIB, () => undefined)
    const third = budget.roomFor(500 * KIB, () => undefined)

    second?.giveBack()
    first?.giveBack()

    expect([second?.isGranted, third?.isGranted]).toEqual([false, true])
    third?.giveBack()
    third?.giveBack()
    expect(budget.bytes).toBe(0)
  })
})
