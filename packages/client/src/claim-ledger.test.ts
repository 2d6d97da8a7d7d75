// Laws of claim numbers.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClaimLedger } from './claim-ledger.ts'

describe('ClaimLedger', () => {
  it('numbers claims from 1 and has received none at first', () => {
    const ledger = new ClaimLedger()

    expect(ledger.received).toBe(0)
    expect([ledger.next(), ledger.next()]).toEqual([1, 2])
    expect(ledger.received).toBe(0)
  })

  it('has received up to the claim before the oldest open one', () => {
    const property = fc.property(fc.array(fc.nat(20)), (order) => {
      const ledger = new ClaimLedger()
      const open = new Set(Array.from({ length: 20 }, () => ledger.next()))
      for (const claim of order) {
        ledger.close(claim)
        open.delete(claim)
        const received = open.size === 0 ? 20 : Math.min(...open) - 1
        expect(ledger.received).toBe(received)
      }
    })
    fc.assert(property)
  })
})
