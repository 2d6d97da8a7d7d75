// tq-admin in this process: what it printed, what it noted, and how it ended.

import picocolors from 'picocolors'
import type { ExitCode } from '../src/exit-code.ts'
import { runAdmin } from '../src/program.ts'
import type { View } from '../src/table.ts'
import type { Terminal } from '../src/terminal.ts'

export interface Ran {
  readonly code: ExitCode
  /** Standard output. */
  readonly out: string
  /** Standard error. */
  readonly err: string
}

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
  /** True: as on a screen, in colours. */
  readonly isScreen?: boolean
  readonly width?: number
  readonly interrupted?: AbortSignal
  /** Told of each note as it comes. */
  readonly onNote?: (text: string) => void
}

/** A view like that of a pipe; `screen: true` like that of a person's screen, without colours. */
export function aView(view: Partial<View> = {}): View {
  return {
    isScreen: false,
    width: 120,
    colors: picocolors.createColors(false),
    nowMs: Date.UTC(2026, 10, 20, 10, 0, 0),
    ...view,
  }
}

/** Runs tq-admin against a broker. */
export function adminOf(
  broker: { readonly address: string },
  options: TerminalOptions = {},
): (...args: readonly string[]) => Promise<Ran> {
  const env = { TQ_ADDRESS: broker.address, ...options.env }
  return (...args) => admin(args, { ...options, env })
}

/** Runs tq-admin with nothing in its environment. */
export async function admin(args: readonly string[], options: TerminalOptions = {}): Promise<Ran> {
  const written = { out: '', err: '' }
  const code = await runAdmin(args, terminalFor(options, written))
  return { code, ...written }
}

function terminalFor(options: TerminalOptions, written: { out: string; err: string }): Terminal {
  const { isScreen = false, width = 120, stdin = '', env = {}, onNote } = options
  const colors = picocolors.createColors(isScreen)
  return {
    print: (text) => void (written.out += `${text}\n`),
    note: (text) => {
      written.err += `${text}\n`
      onNote?.(text)
    },
    isScreen,
    width,
    colors,
    noteColors: colors,
    env,
    stdin: chunksOf(stdin),
    interrupted: options.interrupted ?? new AbortController().signal,
  }
}

async function* chunksOf(input: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof input === 'string' ? new TextEncoder().encode(input) : input
}
