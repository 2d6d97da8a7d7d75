// The bench from its command line to its files: every scenario, small, on one broker.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ResultFile } from '../src/report/result-file.ts'
import { SCENARIOS } from '../src/scenario/scenarios.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs what `make build` has made, as a person would. */
function bench(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

const SMALL = ['--tasks=200', '--seconds=0.1', '--minutes=0.02', '--warm-up=0', '--connections=5']
const FEW = ['--waiting-max=1000', '--connections-max=10', '--reuse']

describe.skipIf(process.platform !== 'linux')('the bench', () => {
  let directory = ''
  let ended: Ended | undefined
  let file: ResultFile | undefined
  const path = (name: string): string => join(directory, name)

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there; run make build first`)
    directory = mkdtempSync(join(tmpdir(), 'tq-bench-test-'))
    const files = [`--out=${path('a.json')}`, `--plot=${path('plots')}`]
    ended = await bench('--phase=all', ...SMALL, ...FEW, ...files)
    if (ended.code !== 0) throw new Error(ended.stderr)
    file = JSON.parse(readFileSync(path('a.json'), 'utf8')) as ResultFile
  }, 120_000)

  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('measures every variant of every scenario', () => {
    const measured = new Set(file?.results.map(({ scenario }) => scenario))

    expect([...measured]).toEqual(Object.keys(SCENARIOS))
    for (const { scenario, variant, figures } of file?.results ?? []) {
      const values = Object.values(figures)
      expect(values.length, `${scenario}, ${variant}`).toBeGreaterThan(0)
      expect(values.every(Number.isFinite), `${scenario}, ${variant}`).toBe(true)
    }
  })

  it('tells rates, latencies, and what the broker took', () => {
    const mixed = file?.results.find(({ scenario }) => scenario === 'mixed')?.figures ?? {}
    const rate = file?.results.find(({ scenario }) => scenario === 'rate')?.figures ?? {}

    expect(mixed['tasksPerSecond']).toBeGreaterThan(0)
    expect(mixed['factsPerCommit']).toBeGreaterThan(0)
    expect(rate['startP50Ms']).toBeGreaterThan(0)
    expect(rate['startP99Ms']).toBeGreaterThanOrEqual(rate['startP50Ms'] ?? Infinity)
    expect(rate['ackP50Ms']).toBeGreaterThan(0)
  })

  it('says on what it measured, and shows a table of each scenario', () => {
    expect(file?.machine.cores).toBeGreaterThan(0)
    expect(file?.machine.fileSystem).not.toBe('')
    for (const name of Object.keys(SCENARIOS)) expect(ended?.stdout).toContain(`| ${name}, `)
  })

  it('draws the plots', () => {
    const plots = readdirSync(path('plots')).toSorted()

    expect(plots).toEqual([
      'backlog-latency.svg',
      'backlog-throughput.svg',
      'connections-latency.svg',
      'connections-throughput.svg',
      'steady-latency.svg',
      'steady-throughput.svg',
    ])
  })

  it('compares two files, and finds no difference between a file and itself', async () => {
    const { code, stdout } = await bench('compare', path('a.json'), path('a.json'))

    expect(code).toBe(0)
    expect(stdout).toContain('| mixed: plain')
    expect(stdout).not.toMatch(/faster by [1-9]/)
  })

  it('refuses what is not there with a sentence and code 2', async () => {
    const phase = await bench('--phase=mixd')
    const missing = await bench('compare', path('a.json'), path('none.json'))

    expect(phase).toMatchObject({ code: 2, stdout: '' })
    expect(phase.stderr).toContain('there is no phase "mixd"; there are enqueue, drain, mixed')
    expect(missing.code).toBe(2)
    expect(missing.stderr).toMatch(/none\.json cannot be read \(ENOENT\)/)
  })
})
