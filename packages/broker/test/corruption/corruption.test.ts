// A sample of all that can happen to a sector of a data directory: no wrong value, no silent loss (T12).

import { describe, expect, it } from 'vitest'
import { runCampaign } from './campaign.ts'

const COUNT = 100
/** It takes half a minute; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 600_000

describe('a damaged sector of the store (T12, I8)', () => {
  it(
    'is served rightly around, or refused by name',
    async () => {
      const result = await runCampaign({ seed: 1, count: COUNT, jobs: 2 })

      expect(result.violations).toEqual([])
      expect(result.done).toBeGreaterThan(COUNT * 0.9)
      // Damage that nobody would notice would prove nothing.
      expect(result.counts['start-refused']).toBeGreaterThan(COUNT / 2)
      expect(result.tailCommitsMax).toBeLessThanOrEqual(result.unmarkedCommits)
    },
    PATIENCE_MS,
  )
})
