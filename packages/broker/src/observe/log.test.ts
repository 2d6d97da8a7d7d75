// The log: JSON lines, one event each, and not too many of them.

import { describe, expect, it } from 'vitest'
import { LOG_EVENTS } from './log-event.ts'
import { LINES_PER_SECOND_MAX } from './log-throttle.ts'
import { createLogger, type Logger, type LoggerOptions } from './log.ts'

interface Rig {
  readonly log: Logger
  readonly lines: Record<string, unknown>[]
  nowMs: number
}

function aLog(level: LoggerOptions['level'] = 'info'): Rig {
  const lines: Record<string, unknown>[] = []
  const destination = {
    write: (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>),
  }
  const rig: Rig = {
    lines,
    nowMs: 0,
    log: createLogger({ level, destination, monotonicMs: () => rig.nowMs }),
  }
  return rig
}

describe('a log', () => {
  it('writes one line of JSON with time, level, event, sentence and fields', () => {
    const { log, lines } = aLog()
    log.warn({ event: 'stalled', ms: 1_200 })

    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        pid: process.pid,
        event: 'stalled',
        ms: 1_200,
        msg: LOG_EVENTS.stalled.says,
      },
    ])
  })

  it('writes nothing below its level', () => {
    const { log, lines } = aLog('error')
    log.warn({ event: 'stalled' })
    log.info({ event: 'stopped' })
    log.debug({ event: 'connection-opened' })
    log.error({ event: 'record-damaged' })

    expect(lines.map(({ event }) => event)).toEqual(['record-damaged'])
    expect([log.shows('debug'), log.shows('error')]).toEqual([false, true])
  })

  it('may be silent', () => {
    const { log, lines } = aLog('silent')
    log.fatal({ event: 'failed', reason: 'none' })

    expect(lines).toEqual([])
  })

  it('repeats no secrets', () => {
    const { log, lines } = aLog()
    log.info({ event: 'stopped', token: 'hunter2' })

    expect(lines[0]?.['token']).toBe('[redacted]')
  })

  it('writes so many lines of one event a second, then says how many it left out', () => {
    const rig = aLog()
    const extra = 7
    for (let line = 0; line < LINES_PER_SECOND_MAX + extra; line += 1) {
      rig.log.info({ event: 'task-dead' })
    }
    rig.log.info({ event: 'queue-created' })
    expect(rig.lines).toHaveLength(LINES_PER_SECOND_MAX + 1)

    rig.nowMs = 1_000
    rig.log.info({ event: 'task-dead' })
    rig.log.info({ event: 'task-dead' })

    expect(rig.lines.at(-2)).toMatchObject({ event: 'task-dead', suppressed: extra })
    expect(rig.lines.at(-1)).not.toHaveProperty('suppressed')
  })

  it('leaves nothing out at debug', () => {
    const { log, lines } = aLog('debug')
    const count = LINES_PER_SECOND_MAX + 1
    for (let line = 0; line < count; line += 1) log.debug({ event: 'task-changed' })

    expect(lines).toHaveLength(count)
  })
})
