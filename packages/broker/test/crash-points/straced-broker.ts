// A broker process under strace, which kills it or lets a call fail at the n-th call of a kind.

import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { type Exit, TestProcess } from '../end-to-end/test-process.ts'
import type { Address } from '../ledger/link.ts'
import { dataDirectoryPaths } from './data-directory-paths.ts'

export interface Injection {
  /** Such as `fdatasync`. */
  readonly call: string
  /** In the words of strace: `signal=SIGKILL`, `error=EIO`, `retval=1`. */
  readonly effect: string
  /** At which call of a thread, from 1. */
  readonly when: number
  /** Whether only calls count that are about files of the data directory. */
  readonly filesOnly: boolean
  /** Only calls count that are about these files. */
  readonly paths?: readonly string[]
}

/** Small, so that a short load fills it several times and LevelDB compacts. */
const WRITE_BUFFER = '1MiB'

/** Why this machine cannot run it; undefined if it can. */
export function stracelessReason(): string | undefined {
  const { status, error } = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true'])
  if (error !== undefined) return 'strace is not installed'
  return status === 0 ? undefined : 'strace may not trace here (ptrace is forbidden)'
}

export function nameOf({ call, effect, when, filesOnly }: Injection): string {
  return `${call}:${effect}:when=${when}${filesOnly ? ' (files)' : ''}`
}

export class StracedBroker {
  readonly #process: TestProcess
  readonly #traceFile: string

  /** @param injection Undefined: only what would be counted is written to the trace file. */
  constructor(
    directory: string,
    traceFile: string,
    injection: Injection | (Pick<Injection, 'filesOnly' | 'paths'> & { calls: readonly string[] }),
  ) {
    this.#traceFile = traceFile
    const calls = 'call' in injection ? [injection.call] : injection.calls
    const all = injection.filesOnly ? dataDirectoryPaths(directory) : []
    const paths = injection.paths ?? all
    const inside = [
      'strace',
      // The broker is our own child, and strace the grandchild.
      '-D',
      '-f',
      '-qq',
      '-ttt',
      // Paths of descriptors, so that a line tells which file it was about.
      '-y',
      ...['-o', traceFile],
      ...['-e', `trace=${calls.join(',')}`],
      ...paths.flatMap((path) => ['-P', path]),
      ...('call' in injection ? injectFlags(injection) : ['--seccomp-bpf']),
    ]
    const flags = [
      `--data-dir=${directory}`,
      '--port=0',
      '--http-enabled=false',
      `--storage-write-buffer-bytes=${WRITE_BUFFER}`,
    ]
    // strace counts the calls of each thread for itself: with one thread for all files, n is n.
    this.#process = new TestProcess('broker', flags, { inside, env: { UV_THREADPOOL_SIZE: '1' } })
  }

  get exited(): Promise<Exit> {
    return this.#process.exited
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  get output(): string {
    return this.#process.output
  }

  /** Where it listens; undefined if it ended before it did. */
  async listening(): Promise<Address | undefined> {
    const line = await this.#process.event('listening').catch(() => undefined)
    return line?.['address'] as Address | undefined
  }

  stop(): void {
    this.#process.signal('SIGTERM')
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }

  /** What strace wrote, once the process has ended. */
  async trace(): Promise<string> {
    await this.exited
    return readFile(this.#traceFile, 'utf8')
  }
}

function injectFlags({ call, effect, when }: Injection): string[] {
  const inject = ['-e', `inject=${call}:${effect}:when=${when}`]
  // The quick way to trace delivers no signals.
  return effect.startsWith('signal') ? inject : [...inject, '--seccomp-bpf']
}
