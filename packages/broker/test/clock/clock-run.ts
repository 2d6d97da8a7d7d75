// Plays many cases, some of them at once: most of each is waiting.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClockCase } from './clock-case.ts'
import { playClockCase } from './story.ts'

/** @returns How many violations there were. */
export async function runClockCases(
  cases: readonly ClockCase[],
  atOnce: number,
  report: (name: string, violations: readonly string[]) => void,
): Promise<number> {
  const left = [...cases]
  let violationCount = 0
  const play = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const directory = await mkdtemp(join(tmpdir(), 'tq-clock-'))
      const violations = await playClockCase(next, directory).catch((error: unknown) => [
        `${next?.name}: ${error instanceof Error ? error.message : String(error)}`,
      ])
      await rm(directory, { recursive: true, force: true })
      violationCount += violations.length
      report(next.name, violations)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, play))
  return violationCount
}
