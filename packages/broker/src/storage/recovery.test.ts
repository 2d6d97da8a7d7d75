// What is built is what is recovered, whatever happened before; what cannot be trusted is refused.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty, SEED } from '../../test/property.ts'
import { aHistory, play } from '../../test/random-history.ts'
import { dumpState } from '../../test/state-dump.ts'
import { faultsOf } from '../../test/store-check.ts'
import { StoredEngine } from '../../test/stored-engine.ts'

describe('recovery', () => {
  it('gives back the state of any history', async () => {
    await fc.assert(
      fc.asyncProperty(aHistory, async (moves) => {
        const stored = await StoredEngine.open()
        await play(stored, moves)
        stored.expire()
        await stored.commit()
        const { state, image, lsn } = stored
        expect(faultsOf(image, state, { fromLsn: 1, lsn })).toEqual([])
        const again = await stored.reopened()
        again.wallMs = stored.wallMs
        again.expire()
        expect(dumpState(again.state)).toEqual(dumpState(state))
      }),
      { seed: SEED, numRuns: Number(process.env['RUNS'] ?? 300) },
    )
  })
})
