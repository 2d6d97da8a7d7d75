// The one reason that ends a broker.

import { describe, expect, it, vi } from 'vitest'
import { Failure } from './failure.ts'

describe('Failure', () => {
  it('keeps the first reason, and calls back in the same turn', async () => {
    const failure = new Failure()
    const listener = vi.fn()
    failure.whenHappened(listener)
    expect(failure.reason).toBeUndefined()

    failure.report('the disk is gone')
    failure.report('and so is everything else')

    expect(listener).toHaveBeenCalledTimes(1)
    expect(failure.reason).toBe('the disk is gone')
    expect(await failure.happened).toBe('the disk is gone')
  })

  it('calls back at once if it has happened already', () => {
    const failure = new Failure()
    failure.report('too early')
    const listener = vi.fn()

    failure.whenHappened(listener)

    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('does not happen to a broker that has been ended', () => {
    const failure = new Failure()
    const listener = vi.fn()
    failure.whenHappened(listener)

    failure.settle()
    failure.report('the store is closed')

    expect(listener).not.toHaveBeenCalled()
    expect(failure.reason).toBeUndefined()
  })
})
