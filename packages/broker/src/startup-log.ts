// Reports of the last starts, kept in the data directory for people who ask what happened.

import { join } from 'node:path'
import type { StartupReport } from '@tq/core'
import { readTextIfAny, writeDurably } from './storage/durable-file.ts'

/** Reports that are kept, newest first. */
export const REPORTS_MAX = 20

export class StartupLog {
  readonly #path: string

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'startup-reports.json')
  }

  /** Newest first. What cannot be read is forgotten: no reason to stay down. */
  async read(): Promise<readonly StartupReport[]> {
    try {
      const reports: unknown = JSON.parse((await readTextIfAny(this.#path)) ?? '[]')
      return Array.isArray(reports) ? reports.filter(isReport).slice(0, REPORTS_MAX) : []
    } catch {
      return []
    }
  }

  /** Adds a report to the earlier ones. Gives what is to be shown: with a warning if it failed. */
  async keep(
    report: StartupReport,
    earlier: readonly StartupReport[],
  ): Promise<readonly StartupReport[]> {
    const reports = [report, ...earlier].slice(0, REPORTS_MAX)
    try {
      await writeDurably(this.#path, `${JSON.stringify(reports)}\n`)
      return reports
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const warning = `this report could not be kept: ${why}`
      return [{ ...report, warnings: [...report.warnings, warning] }, ...reports.slice(1)]
    }
  }
}

function isReport(value: unknown): value is StartupReport {
  if (typeof value !== 'object' || value === null) return false
  const report = value as Partial<Record<keyof StartupReport, unknown>>
  const numbers = [report.startedAtMs, report.totalMs, report.epoch, report.lsn]
  return numbers.every(Number.isFinite) && [report.steps, report.warnings].every(Array.isArray)
}
