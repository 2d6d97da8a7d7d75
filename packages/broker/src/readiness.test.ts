// What keeps new work away from a broker.

import { describe, expect, it } from 'vitest'
import { Readiness } from './readiness.ts'

function aReadiness(now: { flyingMs?: number; freeBytes?: number } = {}): Readiness {
  return new Readiness({
    limits: { commitMsMax: 5_000, freeBytesMin: 1_000 },
    commits: { flyingMs: now.flyingMs ?? 0 },
    disk: { freeBytes: now.freeBytes ?? Infinity },
  })
}

describe('Readiness', () => {
  it('is there while the broker runs within its limits', () => {
    const readiness = aReadiness({ flyingMs: 5_000, freeBytes: 1_000 })
    expect(readiness.reasons()).toEqual(['the broker is starting'])

    readiness.enter('running')
    expect(readiness.reasons()).toEqual([])

    readiness.enter('stopping')
    expect(readiness.reasons()).toEqual(['the broker is stopping'])
  })

  it('names everything that is wrong', () => {
    const readiness = aReadiness({ flyingMs: 5_001.4, freeBytes: 999 })
    readiness.enter('running')

    expect(readiness.reasons()).toEqual([
      'a commit has taken 5001 ms so far',
      '999 bytes are free on the disk, new tasks need 1000',
    ])
  })
})
