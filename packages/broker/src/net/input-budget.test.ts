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

  it('lends a large frame no more than what has come and the slices ahead of it', () => {
    const frame = budget.roomFor(1_000 * KIB, () => undefined)
    expect([frame?.isGranted, budget.bytes]).toEqual([true, 128 * KIB])

    frame?.arrived(64 * KIB)
    expect(budget.bytes).toBe(128 * KIB)
    frame?.arrived(65 * KIB)
    expect(budget.bytes).toBe(193 * KIB)
    frame?.giveBack()

    expect(budget.bytes).toBe(0)
  })

  it('is not taken by those who announce much and send nothing', () => {
    const stallers = Array.from({ length: 5 }, () => budget.roomFor(200 * KIB, () => undefined))

    // Two hold slices, one holds room for all of it; the others wait.
    expect(stallers.map((frame) => frame?.isGranted)).toEqual([true, true, true, false, false])
    expect(budget.bytes).toBe((2 * 128 + 200) * KIB)
    expect(budget.roomFor(16 * KIB, () => undefined)).toBeUndefined()
  })

  it('lets a frame of any size be completed though all slices are halves of frames', () => {
    const names = ['a', 'b', 'c']
    const granted: string[] = []
    const halves = names.map((name) => budget.roomFor(300 * KIB, () => granted.push(name)))
    for (const half of halves) half?.arrived(120 * KIB)
    // The third has room for all of itself already.
    expect(halves.map((half) => half?.isGranted)).toEqual([false, false, true])

    for (const half of [halves[2], halves[0], halves[1]]) {
      expect(half?.isGranted).toBe(true)
      half?.arrived(300 * KIB)
      expect(half?.isGranted).toBe(true)
      half?.giveBack()
    }

    expect(granted).toEqual(['a', 'b', 'c', 'a', 'b', 'b'])
    expect(budget.bytes).toBe(0)
  })

  it('grants in the order in which frames asked', () => {
    const granted: string[] = []
    budget.hold(900 * KIB)
    const first = budget.roomFor(400 * KIB, () => granted.push('first'))
    const second = budget.roomFor(50 * KIB, () => granted.push('second'))
    expect([first?.isGranted, second?.isGranted]).toEqual([false, false])

    budget.free(100 * KIB)

    expect(granted).toEqual(['first', 'second'])
  })

  it('forgets a frame that waited and will never come', () => {
    budget.hold(1_000 * KIB)
    const first = budget.roomFor(500 * KIB, () => undefined)
    const second = budget.roomFor(500 * KIB, () => undefined)

    first?.giveBack()
    first?.giveBack()
    budget.free(872 * KIB)

    expect(second?.isGranted).toBe(true)
    expect(budget.bytes).toBe(256 * KIB)
  })

  it('does not count what is parked, up to a quarter more', () => {
    budget.hold(300 * KIB)

    expect(budget.park(200 * KIB)).toBe(true)
    expect(budget.park(100 * KIB)).toBe(false)
    expect(budget.bytes).toBe(100 * KIB)
    budget.unpark(200 * KIB)
    expect(budget.park(100 * KIB)).toBe(true)
    expect(budget.bytes).toBe(0)
  })
})
