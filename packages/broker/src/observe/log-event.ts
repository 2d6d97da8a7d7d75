// Every event that the log may tell of: its level and what it means. docs/operating.md shows the table.

export interface LogEventEntry {
  readonly level: LogLevel
  /** The line's message; what differs from line to line is in its other fields. */
  readonly says: string
}

/** From the most to the least severe. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug'

export const LOG_EVENTS = {
  starting: { level: 'info', says: 'The broker starts.' },
  started: { level: 'info', says: 'The broker has recovered; the steps of its start are named.' },
  listening: { level: 'info', says: 'Clients may connect; the addresses are named.' },
  stopping: { level: 'info', says: 'A signal asked the broker to stop; it drains.' },
  stopped: { level: 'info', says: 'The broker has stopped; nothing was lost.' },
  'config-warning': { level: 'warn', says: 'The configuration is allowed, but better otherwise.' },
  'signal-ignored': { level: 'info', says: 'A signal has no meaning for the broker.' },
  'start-aborted-before': { level: 'warn', says: 'The start before this one was cut off.' },
  'start-refused': { level: 'fatal', says: 'The broker cannot start; the reason is named.' },
  failed: { level: 'fatal', says: 'A commit failed, or the store did; the process ends.' },
  crashed: { level: 'fatal', says: 'A bug in tq, or no memory left; the process ends.' },
  'stop-overdue': { level: 'error', says: 'Stopping took too long; the process ends at once.' },
  stalled: { level: 'warn', says: 'The process stood still; leases were extended by that time.' },
  'record-damaged': { level: 'error', says: 'A record failed its checksum and is not served.' },
  'housekeeping-failed': { level: 'error', says: 'Kept tasks could not be counted.' },
  'reclaim-started': {
    level: 'info',
    says: 'The disk is nearly full: the space of deleted tasks is being given back.',
  },
  'reclaim-finished': { level: 'info', says: 'That has ended; what was won is named.' },
  'reclaim-failed': { level: 'error', says: 'The space of deleted tasks could not be given back.' },
  'http-failed': { level: 'error', says: 'An HTTP request could not be answered.' },
  'connection-opened': { level: 'debug', says: 'A client connected.' },
  'connection-closed': { level: 'debug', says: 'A connection has ended.' },
  'connection-refused': { level: 'debug', says: 'A connection was over a limit.' },
  'connections-refused': {
    level: 'warn',
    says: 'Connections were refused since the last such line; how many, and why the last one.',
  },
  'connections-lowered': {
    level: 'warn',
    says: 'The process may open too few files for the connections that it is allowed to take.',
  },
  'queue-created': { level: 'info', says: 'A queue was created.' },
  'queue-changed': { level: 'info', says: 'A queue was paused, resumed or set up anew.' },
  'worker-registered': { level: 'info', says: 'A worker registered.' },
  'worker-lost': { level: 'warn', says: 'A worker went silent; its tasks are offered again.' },
  'task-dead': { level: 'info', says: 'A task used up its attempts, or cannot be retried.' },
  'task-changed': { level: 'debug', says: 'A task changed its state.' },
} as const satisfies Record<string, LogEventEntry>

export type LogEvent = keyof typeof LOG_EVENTS

/** The events of one level: no call can log an event at another than its own. */
export type EventAt<Level extends LogLevel> = {
  [Name in LogEvent]: (typeof LOG_EVENTS)[Name]['level'] extends Level ? Name : never
}[LogEvent]
