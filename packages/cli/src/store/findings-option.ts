// How many findings a check or a salvage lists one by one; all of them are counted.

import type { Command } from 'commander'
import { wholeNumber } from '../number-option.ts'
import type { Run } from '../run.ts'

export interface FindingsFlags {
  readonly limit?: number
  readonly all?: boolean
}

/** Of each kind: a person reads some, a program takes more. */
const LISTED = { table: 10, json: 100 } as const
const LIMIT_MAX = 1_000_000

export function addFindingsOptions(command: Command): Command {
  return command
    .option(
      '--limit <count>',
      `findings of each kind that are listed; all are counted (default: ${LISTED.table}, with -o json ${LISTED.json})`,
      wholeNumber({ min: 1, max: LIMIT_MAX }),
    )
    .option('--all', 'list every finding')
}

/** As the upkeep program takes them. */
export function findingsArgs(run: Run, { limit, all }: FindingsFlags): readonly string[] {
  const listed = all === true ? Number.MAX_SAFE_INTEGER : limit
  return [`--told-max=${listed ?? LISTED[run.options().output]}`]
}

/** True if some were only counted. */
export function isTruncated(
  findings: readonly unknown[],
  counts: Readonly<Record<string, number>>,
): boolean {
  return findings.length < Object.values(counts).reduce((sum, count) => sum + count, 0)
}
