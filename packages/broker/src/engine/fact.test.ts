// The table of facts: what the disk calls them, and which of them promises rest on.

import { describe, expect, it } from 'vitest'
import { FACT_KINDS } from './fact.ts'

describe('FACT_KINDS', () => {
  it('gives each kind a code of its own that fits a byte', () => {
    const codes = Object.values(FACT_KINDS).map(({ code }) => code)

    expect(new Set(codes).size).toBe(codes.length)
    for (const code of codes) expect(code).toBeGreaterThan(0)
    for (const code of codes) expect(code).toBeLessThan(256)
  })

  it('lets go of nothing but what a restart finds out again', () => {
    const ephemeral = Object.entries(FACT_KINDS).flatMap(([kind, { durable }]) =>
      durable ? [] : [kind],
    )

    expect(ephemeral).toEqual([
      'task-due',
      'lease-renewed',
      'leases-extended',
      'session-seen',
      'task-progressed',
    ])
  })
})
