// Runs the broker's upkeep program: it alone knows the store's format, and LevelDB may end it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { EXIT_CODES, type ExitCode } from '../exit-code.ts'
import { CommandRefusal } from '../refusal.ts'
import type { Run } from '../run.ts'
import { progressNotes } from './progress.ts'

/** What a check or a salvage finds, as the upkeep program tells of it. */
export interface Finding {
  readonly code: string
  readonly key?: string
  readonly what: string
  readonly advice: string
}

export interface Outcome<Report> {
  /** Undefined if the program was ended before its end. */
  readonly report: Report | undefined
  readonly findings: readonly Finding[]
  /** How LevelDB ended the program, and what it was at. */
  readonly aborted:
    { readonly signal: string; readonly part: string; readonly said: string } | undefined
}

type Line =
  | { readonly kind: 'temporary'; readonly path: string }
  | { readonly kind: 'progress'; readonly part: string; readonly count: number }
  | ({ readonly kind: 'finding' } & Finding)
  | { readonly kind: 'done'; readonly report: unknown }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

const BY_REFUSAL: Readonly<Record<string, ExitCode>> = {
  usage: EXIT_CODES.usage.code,
  'not-found': EXIT_CODES.notFound.code,
  locked: EXIT_CODES.conflict.code,
  occupied: EXIT_CODES.conflict.code,
  'bad-backup': EXIT_CODES.failed.code,
  'no-space': EXIT_CODES.notDone.code,
  system: EXIT_CODES.notDone.code,
  unsound: EXIT_CODES.notDone.code,
}
const require = createRequire(import.meta.url)
/** Last words that are shown of a program that broke. */
const SAID_BYTES_MAX = 2_000

/** @throws {CommandRefusal} what the program refuses, with its own sentence. */
export async function runUpkeep<Report>(
  run: Run,
  args: readonly string[],
): Promise<Outcome<Report>> {
  const { interrupted } = run.terminal
  const child = startUpkeep(args)
  const stop = (): void => void child.kill('SIGTERM')
  interrupted.addEventListener('abort', stop, { once: true })
  try {
    return await listen<Report>(run, child)
  } finally {
    interrupted.removeEventListener('abort', stop)
    // However this ends, nothing works on in the background.
    stop()
  }
}

function startUpkeep(args: readonly string[]): ChildProcess {
  // Found, and never imported: what opens LevelDB is a process of its own.
  const program = require.resolve('@tq/broker/upkeep')
  return spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function listen<Report>(run: Run, child: ChildProcess): Promise<Outcome<Report>> {
  const findings: Finding[] = []
  const temporary: string[] = []
  const note = progressNotes(run)
  let report: Report | undefined
  let refusal: CommandRefusal | undefined
  let part = 'start'
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_BYTES_MAX)
  })
  const ended = once(child, 'close') as Promise<[code: number | null, signal: string | null]>
  if (child.stdout !== null) {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line
      if (line.kind === 'temporary') temporary.push(line.path)
      if (line.kind === 'finding') findings.push(findingOf(line))
      if (line.kind === 'done') report = line.report as Report
      if (line.kind === 'refused') refusal = refusalOf(line.code, line.message)
      if (line.kind !== 'progress') continue
      part = line.part
      note(`${part}: ${line.count.toLocaleString('en-US')} records`)
    }
  }
  const [code, signal] = await ended
  if (refusal !== undefined) throw refusal
  if (report !== undefined) return { report, findings, aborted: undefined }
  for (const path of temporary) await rm(path, { recursive: true, force: true })
  if (signal !== null) return { report, findings, aborted: { signal, part, said: said.trim() } }
  throw new Error(`the upkeep program ended with code ${code}: ${said.trim()}`)
}

function findingOf({ code, key, what, advice }: Finding): Finding {
  return { code, ...(key === undefined ? {} : { key }), what, advice }
}

function refusalOf(code: string, message: string): CommandRefusal {
  return new CommandRefusal(BY_REFUSAL[code] ?? EXIT_CODES.notDone.code, message, code)
}
