// The world around a command, as a process has it.

import { describe, expect, it } from 'vitest'
import { terminalOf, wantsColors } from './terminal.ts'

describe('wantsColors', () => {
  it.each([
    ['a screen', { isTTY: true }, {}, true],
    ['a pipe', {}, {}, false],
    ['a pipe, whatever FORCE_COLOR says', {}, { FORCE_COLOR: '1' }, false],
    ['a screen with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['a screen with an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, true],
    ['a screen that knows none', { isTTY: true }, { TERM: 'dumb' }, false],
  ])('%s', (_, stream, env, wants) => {
    expect(wantsColors(stream, env)).toBe(wants)
  })
})

describe('terminalOf', () => {
  it('writes lines, data and notes apart', () => {
    const { process, written } = aProcess({})
    const terminal = terminalOf(process, new AbortController().signal)

    terminal.print('data')
    terminal.note('note')

    expect(written).toEqual({ out: 'data\n', err: 'note\n' })
  })

  it('knows a screen from a pipe', () => {
    const screen = terminalOf(aProcess({ isTTY: true, columns: 100 }).process, AbortSignal.abort())
    const pipe = terminalOf(aProcess({}).process, AbortSignal.abort())

    expect(screen).toMatchObject({ isScreen: true, width: 100 })
    expect(screen.colors.red('x')).toBe('\u001b[31mx\u001b[39m')
    expect(pipe).toMatchObject({ isScreen: false, width: 80 })
    expect(pipe.colors.red('x')).toBe('x')
  })

  it('opens stdin only for those who read it', () => {
    let opened = 0
    const { process } = aProcess({})
    Object.defineProperty(process, 'stdin', { get: () => (opened += 1) })

    const terminal = terminalOf(process, AbortSignal.abort())
    const before = opened
    void terminal.stdin

    expect([before, opened]).toEqual([0, 1])
  })
})

function aProcess(stdout: { readonly isTTY?: boolean; readonly columns?: number }): {
  readonly process: NodeJS.Process
  readonly written: { out: string; err: string }
} {
  const written = { out: '', err: '' }
  const process = {
    stdout: { ...stdout, write: (text: string) => (written.out += text) !== '' },
    stderr: { write: (text: string) => (written.err += text) !== '' },
    env: {},
  }
  return { process: process as unknown as NodeJS.Process, written }
}
