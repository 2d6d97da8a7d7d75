// The world around a command: where it reads, where it writes, how it is interrupted.

import picocolors from 'picocolors'

export type Colors = ReturnType<typeof picocolors.createColors>

/** Two streams, an environment, and nothing global: a test makes one as easily as `main` does. */
export interface Terminal {
  /** Data, and nothing but data: what a script may read. */
  readonly print: (text: string) => void
  /** Data that is no text; resolves when it was taken. Undefined where only text is taken. */
  readonly printBytes?: (bytes: Uint8Array) => Promise<void>
  /** Messages for people. */
  readonly note: (text: string) => void
  /** True if data goes to a person's screen: borders, relative times, columns that fit. */
  readonly isScreen: boolean
  /** Columns of the screen. */
  readonly width: number
  /** Colours of what is printed; of what is noted. They do nothing where none are wanted. */
  readonly colors: Colors
  readonly noteColors: Colors
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: AsyncIterable<Uint8Array>
  /** Aborted when the person presses Ctrl-C. */
  readonly interrupted: AbortSignal
}

const WIDTH_IF_UNKNOWN = 80

/** The terminal of a process. */
export function terminalOf(process: NodeJS.Process, interrupted: AbortSignal): Terminal {
  // oxlint-disable-next-line no-restricted-properties -- main hands the process over here
  const { stdout, stderr, env } = process
  return {
    print: (text) => void stdout.write(`${text}\n`),
    printBytes: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    note: (text) => void stderr.write(`${text}\n`),
    isScreen: stdout.isTTY === true,
    width: stdout.columns ?? WIDTH_IF_UNKNOWN,
    colors: picocolors.createColors(wantsColors(stdout, env)),
    noteColors: picocolors.createColors(wantsColors(stderr, env)),
    env,
    // Looked up on use: touching it opens it.
    get stdin() {
      return process.stdin
    },
    interrupted,
  }
}

/** Only on a screen, and never against the person's wish: https://no-color.org */
export function wantsColors(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}
