// The flags of a comparison.

import { describe, expect, it } from 'vitest'
import { readSettings } from './settings.ts'

describe('the flags of a comparison', () => {
  it('have defaults', () => {
    expect(readSettings([])).toMatchObject({
      rounds: 5,
      tasks: 30_000,
      payloadBytes: 200,
      otherPercentMax: 25,
      phases: ['enqueue-batch', 'enqueue-single', 'drain', 'mixed', 'latency'],
    })
    expect(readSettings([]).peers).toContain('tq')
    expect(readSettings([]).peers).not.toContain('tq-defaults')
  })

  it('name peers and phases, each once', () => {
    const settings = readSettings(['--peers=tq,rabbit-quorum,tq', '--phase=mixed'])
    expect(settings).toMatchObject({ peers: ['tq', 'rabbit-quorum'], phases: ['mixed'] })
  })

  it('refuse what there is not, and tell what there is', () => {
    expect(() => readSettings(['--peers=tq,abacus'])).toThrow(/"abacus"; there are tq, /)
    expect(() => readSettings(['--phase=nap'])).toThrow(/"nap"; there are enqueue-batch, /)
    expect(() => readSettings(['--rounds=none'])).toThrow('--rounds is none')
    expect(() => readSettings(['--payload=10'])).toThrow(/--payload is 10; .* to 65535/)
  })
})
