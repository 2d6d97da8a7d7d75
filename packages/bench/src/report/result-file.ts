// The file of a run's results: what was measured, on what, and every value of every round.

import { readFileSync, writeFileSync } from 'node:fs'
import type { MachineFacts } from '../machine.ts'
import { UsageError } from '../run/usage-error.ts'
import type { AskedSettings } from '../scenario/load-settings.ts'
import type { Figures } from '../scenario/scenario.ts'

export interface Result {
  readonly scenario: string
  readonly variant: string
  readonly x?: number
  /** Which broker, if two were measured in turn: `here`, or `there`. */
  readonly broker: string
  readonly round: number
  readonly tasks: number
  readonly figures: Figures
  readonly samples?: readonly Figures[]
}

export interface RunSettings extends AskedSettings {
  readonly durability: string
  readonly warmUpTasks: number
  readonly rounds: number
  /** One broker for all: such figures are not to be quoted. */
  readonly isReused: boolean
  readonly isProfiled: boolean
}

export interface ResultFile {
  readonly format: typeof FORMAT
  readonly machine: MachineFacts
  readonly settings: RunSettings
  readonly results: readonly Result[]
}

/** First line of defence against files of something else. */
export const FORMAT = 'tq-bench-1'

export function writeResultFile(path: string, file: ResultFile): void {
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`)
}

/** @throws {UsageError} if it is not there, or is no such file. */
export function readResultFile(path: string): ResultFile {
  const wanted = 'name a file that --out has written'
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`${path} cannot be read (${code ?? String(error)}); ${wanted}`, {
      cause: error,
    })
  }
  const file = parsed(text)
  if (file?.format === FORMAT) return file
  throw new UsageError(`${path} is no result of the bench; ${wanted}`)
}

function parsed(text: string): ResultFile | undefined {
  try {
    return JSON.parse(text) as ResultFile
  } catch {
    return undefined
  }
}

/** Results of the same thing in different rounds. */
export interface ResultGroup {
  readonly scenario: string
  readonly variant: string
  readonly broker: string
  readonly x: number | undefined
  readonly results: readonly Result[]
}

/** In the order in which they were first measured. */
export function groupsOf(results: readonly Result[]): readonly ResultGroup[] {
  const groups = new Map<string, Result[]>()
  for (const result of results) {
    const key = JSON.stringify([result.scenario, result.variant, result.broker])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [result])
    else group.push(result)
  }
  return [...groups.values()].map((group) => {
    const { scenario = '', variant = '', broker = '', x } = group[0] ?? {}
    return { scenario, variant, broker, x, results: group }
  })
}

/** The values of one figure, round by round. */
export function valuesOf(results: readonly Result[], figure: string): number[] {
  return results
    .map(({ figures }) => figures[figure])
    .filter((value): value is number => typeof value === 'number' && Number.isFinite(value))
}

/** Names of all figures, in the order in which they were told. */
export function figuresOf(results: readonly Result[]): readonly string[] {
  return [...new Set(results.flatMap(({ figures }) => Object.keys(figures)))]
}
