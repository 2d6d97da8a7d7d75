// The tests that a planted bug has to get past, and which of them noticed.

import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Rung } from './planted-bug.ts'

export interface Caught {
  readonly rung: Rung
  /** The test, or the law of the simulation, that failed. */
  readonly by: string
}

const WHOLE_LADDER: readonly Rung[] = [
  'engine',
  'storage',
  'pipeline',
  'simulation',
  'crash-points',
  'end-to-end',
]

/** What starts real processes runs what was built of the copy, bug and all. */
const BUILT: ReadonlySet<Rung> = new Set(['crash-points', 'power-cut', 'end-to-end'])

/** A rung that takes longer than this has hung on the bug, in ms: that is noticed, too. */
const RUNG_MS_MAX = 300_000

/** Climbs until a rung fails; undefined if the bug got past all of them. */
export async function climb(
  directory: string,
  rungs: readonly Rung[] = WHOLE_LADDER,
): Promise<Caught | undefined> {
  let isBuilt = false
  for (const rung of rungs) {
    if (BUILT.has(rung) && !isBuilt) {
      await build(directory)
      isBuilt = true
    }
    const by = rung === 'simulation' ? await simulate(directory) : await test(directory, rung)
    if (by !== undefined) return { rung, by }
  }
  return undefined
}

/** Of tsc: it complains, of a name that the bug has left unused for one, and has built all the same. */
const BUILT_WITH_COMPLAINTS = 2

async function build(directory: string): Promise<void> {
  const compiler = join(directory, 'node_modules/.bin/tsc')
  const { code, output } = await run(directory, compiler, ['-b', 'packages'])
  if (code === 0 || code === BUILT_WITH_COMPLAINTS) return
  throw new Error(`the copy with its bug cannot be built:\n${output}`)
}

const BROKER = 'packages/broker'
const TESTS: Readonly<Record<Exclude<Rung, 'simulation'>, readonly string[]>> = {
  engine: [`${BROKER}/src/engine`, `${BROKER}/test/scenarios.test.ts`],
  storage: [
    `${BROKER}/src/storage`,
    `${BROKER}/test/store-conformance.test.ts`,
    `${BROKER}/test/golden-store`,
  ],
  pipeline: [`${BROKER}/src/pipeline`],
  'crash-points': [`${BROKER}/test/crash-points`],
  'power-cut': [`${BROKER}/test/power-cut`],
  'end-to-end': [`${BROKER}/test/end-to-end`],
}

interface VitestReport {
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

async function test(
  directory: string,
  rung: Exclude<Rung, 'simulation'>,
): Promise<string | undefined> {
  const report = join(directory, 'report.json')
  const args = ['run', '-c', 'packages/tooling/vitest.config.ts', '--bail=1', '--passWithNoTests']
  args.push('--reporter=json', `--outputFile.json=${report}`, ...TESTS[rung])
  const { code } = await run(directory, join(directory, 'node_modules/.bin/vitest'), args)
  if (code === 0) return undefined
  const text = await readFile(report, 'utf8').catch(() => '')
  if (text === '') return 'the tests could not be run to their end'
  const { testResults } = JSON.parse(text) as VitestReport
  for (const { assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed')
    if (failed !== undefined) return failed.fullName.trim()
  }
  return testResults.find(({ message }) => message !== '')?.message?.split('\n')[0] ?? 'it hung'
}

async function simulate(directory: string): Promise<string | undefined> {
  const args = ['--import', 'tsx', '--conditions=@tq/source']
  args.push(`${BROKER}/test/children/mutant-seeds.ts`)
  const { code, output } = await run(directory, process.execPath, args)
  return code === 0 ? undefined : (output.split('\n')[0] ?? 'it hung')
}

async function run(
  directory: string,
  file: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(file, args, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), RUNG_MS_MAX)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return { code, output }
}
