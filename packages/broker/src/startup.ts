// The start as named steps, each with its time and counts; kept in the data directory and served.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, StartupReport, StartupStep } from '@tq/core'
import type { StepRunner } from './storage/recovery.ts'

/** Reports that are kept, newest first. */
const REPORTS_MAX = 20

export class Startup {
  readonly #clock: Clock
  readonly #startedAtMs: number
  readonly #beganAtMs: number
  readonly #steps: StartupStep[] = []
  readonly #warnings: string[] = []
  #openStep: { readonly name: string; readonly sinceMs: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startedAtMs = clock.wallMs()
    this.#beganAtMs = clock.monotonicMs()
  }

  /** Runs a step and notes how long it took and what it counted. */
  readonly run: StepRunner = async (name, step) => {
    const sinceMs = this.#clock.monotonicMs()
    const { value, counts } = await step()
    this.#note(name, sinceMs, counts)
    return value
  }

  /** Ends the step that was entered before, and enters this one. */
  enter(name: string): void {
    this.leave()
    this.#openStep = { name, sinceMs: this.#clock.monotonicMs() }
  }

  leave(): void {
    if (this.#openStep !== undefined) this.#note(this.#openStep.name, this.#openStep.sinceMs, {})
    this.#openStep = undefined
  }

  warn(text: string): void {
    this.#warnings.push(text)
  }

  report(of: {
    readonly epoch: number
    readonly lsn: number
    readonly abortedBefore: string | undefined
  }): StartupReport {
    const { epoch, lsn, abortedBefore } = of
    return {
      startedAtMs: this.#startedAtMs,
      totalMs: round(this.#clock.monotonicMs() - this.#beganAtMs),
      epoch,
      lsn,
      ...(abortedBefore === undefined ? {} : { abortedBefore }),
      steps: this.#steps,
      warnings: this.#warnings,
    }
  }

  #note(name: string, sinceMs: number, counts: Readonly<Record<string, number>>): void {
    this.#steps.push({ name, ms: round(this.#clock.monotonicMs() - sinceMs), counts })
  }
}

/** Adds a report to those that are kept; gives them all, newest first. */
export async function keepReport(
  directory: string,
  report: StartupReport,
): Promise<readonly StartupReport[]> {
  const path = join(directory, 'startup-reports.json')
  const reports = [report, ...(await readReports(path))].slice(0, REPORTS_MAX)
  await mkdir(directory, { recursive: true })
  const temporary = `${path}.new`
  await writeFile(temporary, JSON.stringify(reports), { mode: 0o600 })
  await rename(temporary, path)
  return reports
}

/** Reports are for people: ones that cannot be read are forgotten, not a reason to stay down. */
async function readReports(path: string): Promise<StartupReport[]> {
  try {
    const reports: unknown = JSON.parse(await readFile(path, 'utf8'))
    return Array.isArray(reports) ? (reports as StartupReport[]) : []
  } catch {
    return []
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
