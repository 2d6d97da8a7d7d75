// The log: pino, one JSON object a line, one event name a line.

import { systemClock } from '@tq/core'
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { LOG_EVENTS, type EventAt, type LogEvent, type LogLevel } from './log-event.ts'
import { LogThrottle } from './log-throttle.ts'
import { redactFields } from './redaction.ts'

export type LogLine<Level extends LogLevel> = {
  readonly event: EventAt<Level>
  readonly [field: string]: unknown
}

/** One method for each level; each takes only events of that level. */
export type Logger = {
  readonly [Level in LogLevel]: (line: LogLine<Level>) => void
} & {
  /** True if events of this level are written: what costs something to tell may ask first. */
  readonly shows: (level: LogLevel) => boolean
}

export interface LoggerOptions {
  readonly level: LogLevel | 'silent'
  /** Where lines go; standard output if left out. */
  readonly destination?: DestinationStream
  /** Ms of a clock that never steps back. */
  readonly monotonicMs?: () => number
}

export function createLogger(options: LoggerOptions): Logger {
  const base: PinoLogger = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? pino.destination({ dest: 1, sync: false }),
  )
  const throttle = new LogThrottle(options.monotonicMs ?? (() => systemClock.monotonicMs()))
  const writer = (level: LogLevel) => (line: { readonly event: LogEvent }) => {
    if (base.isLevelEnabled(level)) write(base, throttle, line)
  }
  return {
    fatal: writer('fatal'),
    error: writer('error'),
    warn: writer('warn'),
    info: writer('info'),
    debug: writer('debug'),
    shows: (level) => base.isLevelEnabled(level),
  }
}

function write(base: PinoLogger, throttle: LogThrottle, line: { readonly event: LogEvent }): void {
  const { event, ...fields } = line
  const { level, says } = LOG_EVENTS[event]
  const left = throttle.take(event)
  if (left === undefined) return
  const suppressed = left === 0 ? {} : { suppressed: left }
  base[level]({ event, ...redactFields(fields), ...suppressed }, says)
}
