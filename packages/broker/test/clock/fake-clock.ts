// The clocks of a process, under the hand of a test: libfaketime reads from a file what they show.

import { existsSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where distributions put the variant for programs with threads. */
const LIBRARIES: readonly string[] = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib64/faketime/libfaketimeMT.so.1',
  '/usr/lib/faketime/libfaketimeMT.so.1',
]

/** `wall`: only the wall clock steps. `suspend`: the monotonic clock jumps with it. */
export type ClockKind = 'wall' | 'suspend'

export class FakeClock {
  readonly #file: string
  readonly #kind: ClockKind
  #aheadMs = 0

  /** Why clocks cannot be faked here; undefined if they can. */
  static get missing(): string | undefined {
    return library() === undefined ? 'libfaketime is not installed' : undefined
  }

  /** @param directory Where the file is put; it must outlive the processes. */
  static async create(directory: string, kind: ClockKind): Promise<FakeClock> {
    const clock = new FakeClock(join(directory, 'clock'), kind)
    await clock.stepTo(0)
    return clock
  }

  private constructor(file: string, kind: ClockKind) {
    this.#file = file
    this.#kind = kind
  }

  /** The environment of a process that lives by this clock. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library() ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      ...(this.#kind === 'wall' ? { FAKETIME_DONT_FAKE_MONOTONIC: '1' } : {}),
    }
  }

  /** How much the clock is ahead of the true one. */
  get aheadMs(): number {
    return this.#aheadMs
  }

  /** What the wall clock shows to those processes. */
  get wallMs(): number {
    return Date.now() + this.#aheadMs
  }

  /** Sets the clock in the midst of whatever goes on; a reader sees the old time or the new one. */
  async stepTo(aheadMs: number): Promise<void> {
    this.#aheadMs = aheadMs
    const seconds = (aheadMs / 1_000).toFixed(3)
    await writeFile(`${this.#file}.new`, aheadMs < 0 ? seconds : `+${seconds}`)
    await rename(`${this.#file}.new`, this.#file)
  }
}

function library(): string | undefined {
  return LIBRARIES.find((path) => existsSync(path))
}
