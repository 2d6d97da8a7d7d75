// Waiting for the end of a task while its broker is away for longer than an answer may take.

import { TqError } from '@tq/client'
import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { aTask, TASK_ID } from '../../test/builders.ts'
import type { Run } from '../run.ts'
import { waitForEnd } from './task-end.ts'

describe('waiting for an end', () => {
  it('goes on without a --timeout, however long the broker is away', async () => {
    const { run, tries, wait } = aWait({ fails: ['TIMEOUT', 'UNAVAILABLE'] })

    await waitForEnd(run, { wait }, { id: TASK_ID })

    expect(run.exitCode).toBe(0)
    expect(tries()).toBe(3)
  })

  it('ends with the --timeout', async () => {
    const { run, tries, wait } = aWait({ fails: ['TIMEOUT'], timeout: 1_000 })

    await expect(waitForEnd(run, { wait }, { id: TASK_ID })).rejects.toThrow('on purpose')

    expect(tries()).toBe(1)
  })

  it('ends with what no patience mends', async () => {
    const { run, wait } = aWait({ fails: ['NOT_FOUND'] })

    await expect(waitForEnd(run, { wait }, { id: TASK_ID })).rejects.toThrow('on purpose')
  })
})

function aWait(how: { readonly fails: readonly TqError['code'][]; readonly timeout?: number }): {
  readonly run: Run
  readonly tries: () => number
  readonly wait: () => Promise<ReturnType<typeof aTask>>
} {
  let tries = 0
  const colors = picocolors.createColors(false)
  const run: Run = {
    terminal: {
      print: () => undefined,
      note: () => undefined,
      isScreen: false,
      width: 80,
      colors,
      noteColors: colors,
      env: {},
      stdin: (async function* () {})(),
      interrupted: new AbortController().signal,
    },
    options: () => ({
      output: 'table',
      ...(how.timeout === undefined ? {} : { timeout: how.timeout }),
    }),
    exitCode: 0,
  }
  const wait = async (): Promise<ReturnType<typeof aTask>> => {
    const code = how.fails[tries]
    tries += 1
    if (code !== undefined) throw new TqError(code, 'on purpose')
    return aTask({ state: 'completed' })
  }
  return { run, tries: () => tries, wait }
}
