// Runs a broker of the corruption rig as a process, to its end or until it has said enough.

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../bundle.ts'
import type { ChildReport } from './child-report.ts'

const SCRIPT = fileURLToPath(new URL('../children/corruption-child.ts', import.meta.url))
/** A broker that has not come to an end after so long hangs, in ms; a reading takes 200. */
const PATIENCE_MS = 60_000

export interface ChildEnd {
  readonly reports: readonly ChildReport[]
  /** Said by the process or by LevelDB's assertions. */
  readonly output: string
  /** How it ended; a report of its own ends it with SIGKILL. */
  readonly end: string
  readonly isOverdue: boolean
}

/** The directory of all that a run of this rig makes, with the broker's bundle in it. */
export class Workshop {
  readonly root: string
  readonly #program: string
  #count = 0

  static async open(): Promise<Workshop> {
    const root = await mkdtemp(join(tmpdir(), 'tq-corruption-'))
    // The broker reads its version from the package around it.
    await writeFile(join(root, 'package.json'), '{"version":"0.0.0","type":"module"}')
    return new Workshop(root, await bundle(SCRIPT, join(root, 'program')))
  }

  private constructor(root: string, program: string) {
    this.root = root
    this.#program = program
  }

  async close(): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }

  /** A path that nobody has had before. */
  newPath(name: string): string {
    this.#count += 1
    return join(this.root, `${name}-${this.#count}`)
  }

  /** Runs a generation of the load, and kills the broker when it is done. */
  async load(dataDir: string, ledgerPath: string, generation: number): Promise<void> {
    const ended = await this.#run(['load', dataDir, ledgerPath], generation)
    if (ended.reports.at(-1)?.kind === 'loaded') return
    throw new Error(`generation ${generation} failed: ${JSON.stringify(ended)}`)
  }

  read(dataDir: string, ledgerPath: string, generation: number): Promise<ChildEnd> {
    return this.#run(['read', dataDir, ledgerPath], generation)
  }

  async #run(args: readonly string[], generation: number): Promise<ChildEnd> {
    const reportPath = this.newPath('report')
    const command = [this.#program, ...args, reportPath, String(generation)]
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    }
    let isOverdue = false
    const overdue = setTimeout(() => {
      isOverdue = true
      child.kill('SIGKILL')
    }, PATIENCE_MS)
    const end = await new Promise<string>((resolve) => {
      child.once('close', (code, signal) => resolve(signal ?? `code ${code}`))
    })
    clearTimeout(overdue)
    const text = await readFile(reportPath, 'utf8').catch(() => '')
    await rm(reportPath, { force: true })
    const lines = text.split('\n').filter((line) => line !== '')
    return {
      reports: lines.map((line) => JSON.parse(line) as ChildReport),
      output: output.slice(0, 2_000),
      end,
      isOverdue,
    }
  }
}
