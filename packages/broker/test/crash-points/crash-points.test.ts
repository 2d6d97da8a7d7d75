// Crash points: at the storage port, among the small files, and of the real process under strace.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { liveThrough } from './broker-life.ts'
import { CrashSite } from './crash-site.ts'
import { failAt } from './error-point.ts'
import { sweepFiles } from './file-sweep.ts'
import { killAt } from './kill-point.ts'
import { ERROR_ARMS, KILL_ARMS } from './point-plan.ts'
import { sweepPort } from './port-sweep.ts'
import { StracedBroker, stracelessReason } from './straced-broker.ts'
import { sweep, tallyText } from './sweep.ts'

const SEED = Number(process.env['SEED'] ?? 1)
const TIMEOUT_MS = 300_000

const lacking = stracelessReason()
if (lacking !== undefined)
  process.stdout.write(`the crash points of the real process are skipped: ${lacking}\n`)

describe('crash points in the process (T3)', () => {
  it(
    'recovers from a stop at every call of the storage port (I1, I7, I8)',
    async () => {
      const { pointCount, violations } = await sweepPort({ seed: SEED, operations: 60 })

      expect(violations).toEqual([])
      expect(pointCount).toBeGreaterThan(150)
    },
    TIMEOUT_MS,
  )

  it(
    'starts again after a stop at every operation on the files beside LevelDB',
    async () => {
      const { pointCount, violations } = await sweepFiles()

      expect(violations).toEqual([])
      expect(pointCount).toBeGreaterThan(400)
    },
    TIMEOUT_MS,
  )
})

describe.skipIf(lacking !== undefined)('crash points of the real process', () => {
  it(
    'loses nothing when it is killed at any system call (T4, I1, I4, I7)',
    async () => {
      const report = await sweep({ arms: KILL_ARMS, visit: killAt, seed: SEED, count: 45, jobs: 2 })
      process.stdout.write(`${tallyText(report)}\n`)

      expect(report.violations).toEqual([])
      // A kill that did not come to its call has shown nothing, and another is tried instead.
      expect(report.fired).toBeGreaterThanOrEqual(45)
      expect(firedOf(report.tallies)).toBe(report.fired)
    },
    TIMEOUT_MS,
  )

  it(
    'ends within a second of a failed call, says why, and loses nothing (T5)',
    async () => {
      const report = await sweep({
        arms: ERROR_ARMS,
        visit: failAt,
        seed: SEED,
        count: 24,
        triesMax: 24,
        jobs: 2,
      })
      process.stdout.write(`${tallyText(report)}\n`)

      expect(report.violations).toEqual([])
      expect(firedOf(report.tallies)).toBeGreaterThan(15)
    },
    TIMEOUT_MS,
  )

  it.each(['EIO', 'EMFILE'])(
    'loses nothing, and needs nobody, if a start cannot open a log: %s (T5, I8)',
    async (code) => {
      const site = await CrashSite.make()
      onTestFinished(() => site.remove())
      const untouched = { calls: ['openat'], filesOnly: true }
      await liveThrough(new StracedBroker(site.directory, site.traceFile, untouched), site, SEED)
      const store = join(site.directory, 'store')
      const logs = (await readdir(store)).filter((name) => name.endsWith('.log'))
      const paths = logs.map((name) => join(store, name))
      const point = { call: 'openat', effect: `error=${code}`, when: 1, filesOnly: true, paths }

      const result = await failAt(site, point, SEED + 1)

      expect(result.violations).toEqual([])
      expect(result.failedCall).toMatch(/store\/\d+\.log", O_RDONLY/)
      expect(result).toMatchObject({ hasFired: true, wasListening: false, refusal: undefined })
    },
    TIMEOUT_MS,
  )
})

function firedOf(tallies: ReadonlyMap<string, { readonly fired: number }>): number {
  return [...tallies.values()].reduce((sum, { fired }) => sum + fired, 0)
}
