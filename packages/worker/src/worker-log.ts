// What a worker tells about itself and its tasks, as JSON lines with one event name each.

import { TqError, type WorkerEvent } from '@tq/client'
import { type Logger, pino } from 'pino'

export function createWorkerLog(level: string, name: string): Logger {
  const base = { pid: process.pid, worker: name }
  return pino({
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'msg',
    formatters: { level: (label) => ({ level: label }) },
  })
}

/** Logs an event: what is not normal as a warning, ends of tasks as info, the rest for debugging. */
export function logWorkerEvent(log: Logger, event: WorkerEvent): void {
  const { kind, ...rest } = event
  const line = { event: kind, ...plain(rest) }
  switch (levelOf(kind)) {
    case 'warn':
      log.warn(line)
      return
    case 'info':
      log.info(line)
      return
    case 'debug':
      log.debug(line)
      return
  }
}

const WARNINGS: ReadonlySet<string> = new Set([
  'register-refused',
  'task-failed',
  'task-stopped',
  'report-refused',
  'claim-refused',
  'heartbeat-failed',
  'disconnected',
  'refused',
])
const DETAILS: ReadonlySet<string> = new Set(['task-started', 'task-completed'])

function levelOf(kind: WorkerEvent['kind']): 'warn' | 'info' | 'debug' {
  if (WARNINGS.has(kind)) return 'warn'
  return DETAILS.has(kind) ? 'debug' : 'info'
}

/** Tasks as id, type and attempt, errors as code and text: never a payload. */
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const line: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'task') Object.assign(line, taskFields(value))
    else if (value instanceof Error) line[name] = errorFields(value)
    else line[name] = value
  }
  return line
}

function errorFields(error: Error): Record<string, unknown> {
  const code = error instanceof TqError ? error.code : error.name
  return { code, message: error.message }
}

function taskFields(task: unknown): Record<string, unknown> {
  const { id, queue, type, attempt } = task as Readonly<Record<string, unknown>>
  return { taskId: id, queue, type, attempt }
}
