// Half a minute of every way of fuzzing: nothing crashes, hangs, grows or changes state unasked (T11).

import { describe, expect, it } from 'vitest'
import { fuzz, type Mode } from './modes.ts'

const SEED = 1
const PATIENCE_MS = 300_000
const SECONDS: Readonly<Record<Mode, number>> = { dribble: 5, structured: 6, guided: 6, story: 10 }

describe('the protocol under fuzzing (T11, I20)', () => {
  it.each(Object.entries(SECONDS) as [Mode, number][])(
    'keeps its laws: %s',
    async (mode, seconds) => {
      const report = await fuzz(mode, { seed: SEED, seconds, isKept: false })

      expect(report.failure).toBeUndefined()
      expect(report.execs).toBeGreaterThan(50)
    },
    PATIENCE_MS,
  )
})
