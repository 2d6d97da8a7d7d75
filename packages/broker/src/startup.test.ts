// The steps of a start, and what is left of them on disk.

import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../test/temporary-directory.ts'
import { Startup } from './startup.ts'

const NOTHING = { value: undefined, counts: {} }

class SettableClock implements Clock {
  nowMs = 0

  wallMs(): number {
    return 1_000_000 + this.nowMs
  }

  monotonicMs(): number {
    return this.nowMs
  }
}

async function aStartup(): Promise<{
  startup: Startup
  clock: SettableClock
  directory: string
  marked: () => Promise<string>
}> {
  const directory = await temporaryDirectory()
  const clock = new SettableClock()
  const marked = (): Promise<string> => readFile(join(directory, 'starting'), 'utf8')
  return { startup: new Startup(clock, directory), clock, directory, marked }
}

describe('Startup', () => {
  it('reports each step with its time and counts, and the time of all', async () => {
    const { startup, clock } = await aStartup()
    clock.nowMs = 3
    await startup.enterOpening('lock')
    clock.nowMs = 10
    await startup.enterOpening('open')
    clock.nowMs = 30
    await startup.enterOpening('verify')
    clock.nowMs = 30.456_7
    startup.opened()
    startup.opened()

    const value = await startup.run('load-tasks', async () => {
      clock.nowMs = 100
      return await Promise.resolve({ value: 'loaded', counts: { tasks: 7 } })
    })

    expect(value).toBe('loaded')
    expect(startup.report({ epoch: 3, lsn: 99 })).toEqual({
      startedAtMs: 1_000_000,
      totalMs: 100,
      epoch: 3,
      lsn: 99,
      steps: [
        { name: 'lock', ms: 7, counts: {} },
        { name: 'open', ms: 20, counts: {} },
        { name: 'verify-store', ms: 0.46, counts: {} },
        { name: 'load-tasks', ms: 69.54, counts: { tasks: 7 } },
      ],
      warnings: [],
    })
  })

  it('marks the step under way on disk, from the moment at which the directory is its own', async () => {
    const { startup, marked } = await aStartup()
    await startup.enterOpening('lock')
    await expect(marked()).rejects.toMatchObject({ code: 'ENOENT' })

    await startup.enterOpening('open')
    expect(await marked()).toBe('open\n')
    await startup.enterOpening('verify')
    expect(await marked()).toBe('verify-store\n')
    await startup.run('load-tasks', async () => {
      expect(await marked()).toBe('load-tasks\n')
      return NOTHING
    })

    await startup.ended()
    await expect(marked()).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('leaves the mark of a step that fails, for the next start to find', async () => {
    const { startup, directory } = await aStartup()
    await startup.enterOpening('open')
    const failure = startup.run('load-queues', () => Promise.reject(new Error('damaged')))
    await expect(failure).rejects.toThrow('damaged')

    const next = new Startup(new SettableClock(), directory)
    await next.enterOpening('lock')
    await next.enterOpening('open')

    expect(next.report({ epoch: 1, lsn: 1 })).toMatchObject({ abortedBefore: 'load-queues' })
    await next.ended()
    await expect(access(join(directory, 'starting'))).rejects.toThrow('ENOENT')
  })

  it('gives reports that do not change any more', async () => {
    const { startup } = await aStartup()
    const report = startup.report({ epoch: 1, lsn: 1 })

    await startup.run('listen', () => Promise.resolve(NOTHING))

    expect(report.steps).toEqual([])
  })
})
