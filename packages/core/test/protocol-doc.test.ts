// docs/protocol.md is the contract: what it shows must be what the code does.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../src/error.ts'
import * as limits from '../src/limits.ts'
import { VERBS } from '../src/protocol/parse-request.ts'
import { slotOfQueue } from '../src/slot.ts'
import { TASK_STATE_NAMES, TASK_STATES, TRANSITIONS } from '../src/state.ts'
import { formatTaskId } from '../src/task-id.ts'
import { GOLDEN_REPLIES, GOLDEN_REQUESTS } from './golden-message.ts'
import { GOLDEN_SESSION } from './golden-session.ts'
import { hexOf, TASK_1 } from './golden-value.ts'

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')

/** Limits that a client never meets. */
const INTERNAL_LIMITS = ['STEP_ITEMS_MAX', 'TOKENS_PER_EPOCH']

/** The blocks that begin with "hex" and a title: title to digits. */
function hexBlocks(): Map<string, string> {
  const blocks = [...page.matchAll(/^```hex (.+)\n([^`]*)^```$/gm)]
  return new Map(
    blocks.map(([, title, digits]) => [title ?? '', (digits ?? '').replaceAll(/\s/g, '')]),
  )
}

/** The rows of the first table after some words, as trimmed cells. */
function tableAfter(words: string): string[][] {
  const start = page.indexOf(words)
  expect(start, `docs/protocol.md says "${words}"`).toBeGreaterThanOrEqual(0)
  const [table] = /^\|.*\|\n\| -.*\|\n((?:\|.*\|\n)+)/m.exec(page.slice(start)) ?? []
  const rows = (table ?? '').trim().split('\n').slice(2)
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

describe('docs/protocol.md', () => {
  it('shows every golden message, byte for byte', () => {
    const golden = [
      ...GOLDEN_REQUESTS.map(({ name, frame }) => [`request ${name}`, hexOf(frame)] as const),
      ...GOLDEN_REPLIES.map(({ name, message, frame }) => {
        return [message.kind === 'reply' ? `reply ${name}` : name, hexOf(frame)] as const
      }),
      ...GOLDEN_SESSION.map(({ name, frame }) => [`session ${name}`, hexOf(frame)] as const),
    ]

    expect(Object.fromEntries(hexBlocks())).toEqual(Object.fromEntries(golden))
  })

  it('explains the bytes of a ping', () => {
    const [, block] = /^The request `ping` as bytes:\n\n```\n([^`]*)```$/m.exec(page) ?? []
    const digits = (block ?? '')
      .split('\n')
      .map((line) => /^\s*((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/.exec(line)?.[1] ?? '')
    const ping = GOLDEN_REQUESTS.find(({ name }) => name === 'ping')

    expect(digits.join('').replaceAll(' ', '')).toBe(hexOf(ping?.frame ?? new Uint8Array(0)))
  })

  it('has a section for every verb, in order', () => {
    const headings = [...page.matchAll(/^### 9\.(\d+) (.+)$/gm)]

    expect(headings.map(([, number, verb]) => [Number(number), verb])).toEqual(
      VERBS.map((verb, index) => [index + 1, verb]),
    )
  })

  it('has the table of codes', () => {
    const codes = Object.entries(ERROR_CODES).map(([code, { retryable, meaning }]) => [
      code,
      retryable ? 'yes' : 'no',
      meaning,
    ])

    expect(tableAfter('\n## 8 Refusals')).toEqual(codes)
  })

  it('has the limits', () => {
    const known: Readonly<Record<string, number>> = limits
    const shown = tableAfter('\n## 11 Limits').map(
      ([name, value]) => [name ?? '', Number(value)] as const,
    )

    for (const [name, value] of shown) expect([name, value]).toEqual([name, known[name]])
    expect([...shown.map(([name]) => name), ...INTERNAL_LIMITS].toSorted()).toEqual(
      Object.keys(known).toSorted(),
    )
  })

  it('has the states and their transitions', () => {
    const yesNo = (is: boolean): string => (is ? 'yes' : 'no')
    const states = TASK_STATE_NAMES.map((name) => {
      const { held, terminal } = TASK_STATES[name]
      return [name, yesNo(held), yesNo(terminal)]
    })
    const transitions = TASK_STATE_NAMES.flatMap((from) =>
      Object.entries(TRANSITIONS[from]).map(([to, reasons]) => [from, to, reasons.join(', ')]),
    )
    const inOrder = (rows: string[][]): string[] => rows.map((row) => row.join(' > ')).toSorted()

    expect(tableAfter('\n## 5 Life of a task').map((row) => row.slice(0, 3))).toEqual(states)
    expect(inOrder(tableAfter('Which state may follow'))).toEqual(inOrder(transitions))
  })

  it('has a row for every command and a column for every state', () => {
    const header = (words: string): string[] => {
      const [, row] = /\n(\|.*\|)\n\| -/.exec(page.slice(page.indexOf(words))) ?? []
      return (row ?? '')
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    }
    for (const words of ['With the token of the lease', 'Commands of operators']) {
      expect(header(words)).toEqual(['command', ...TASK_STATE_NAMES])
    }
    const commands = ['With the token of the lease', 'Commands of operators']
      .flatMap(tableAfter)
      .map(([command]) => command)
    expect(commands).toEqual([
      'start',
      'heartbeat',
      'progress',
      'complete',
      'fail',
      'release',
      'cancel',
      'redrive',
      'set-priority',
    ])
  })

  it('gives the right slots and a right id', () => {
    const [, list] = /^Slots to test with: (.+)\.$/m.exec(page) ?? []
    const slots = [...(list ?? '').matchAll(/`([^`]+)` (\d+)/g)]

    expect(slots).toHaveLength(6)
    for (const [, queue, slot] of slots)
      expect([queue, slotOfQueue(queue ?? '')]).toEqual([queue, Number(slot)])
    expect(page).toContain(formatTaskId(TASK_1).replaceAll('-', ' '))
  })
})
