// What the profiles of a run say, as tables: the ten functions and the ten files with the most time.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdown } from '../report/table.ts'
import {
  fileShares,
  functionShares,
  idlePercent,
  parseCpuProfile,
  type Share,
} from './cpu-profile.ts'

const LINES = 10

/** The folder of a run's profiles: notes what lies in it already. */
export class ProfileFolder {
  readonly path: string
  readonly #before: ReadonlySet<string>

  constructor(path: string) {
    mkdirSync(path, { recursive: true })
    this.path = path
    this.#before = new Set(readdirSync(path))
  }

  /** Flags for Node, so that a process leaves its profile here when it ends by itself. */
  get nodeFlags(): readonly string[] {
    return ['--cpu-prof', `--cpu-prof-dir=${this.path}`]
  }

  /** Tables of the profiles that have come since, all together. */
  report(): string {
    const names = readdirSync(this.path).filter(
      (name) => name.endsWith('.cpuprofile') && !this.#before.has(name),
    )
    const profiles = names.map((name) => {
      const path = join(this.path, name)
      return parseCpuProfile(readFileSync(path, 'utf8'), path)
    })
    return [
      `${profiles.length} profiles in ${this.path}; ${idlePercent(profiles).toFixed(0)} % idle, shares of the rest:`,
      tableOf('function', functionShares(profiles)),
      tableOf('file', fileShares(profiles)),
    ].join('\n\n')
  }
}

function tableOf(what: string, shares: readonly Share[]): string {
  const rows = shares
    .slice(0, LINES)
    .map(({ name, selfMs, percent }) => [percent.toFixed(1), selfMs.toFixed(0), name])
  return markdown(['self, %', 'self, ms', what], rows)
}
