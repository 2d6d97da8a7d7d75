// The states of a task and the table of allowed transitions, as data.

/**
 * States by name. The number is what the disk holds; 0 is reserved for "no task" and 1 for tasks
 * that wait for other tasks.
 */
export const TASK_STATES = {
  scheduled: { code: 2, terminal: false, held: false },
  queued: { code: 3, terminal: false, held: false },
  assigned: { code: 4, terminal: false, held: true },
  running: { code: 5, terminal: false, held: true },
  retrying: { code: 6, terminal: false, held: false },
  completed: { code: 7, terminal: true, held: false },
  dead: { code: 8, terminal: true, held: false },
  cancelled: { code: 9, terminal: true, held: false },
  expired: { code: 10, terminal: true, held: false },
} as const satisfies Record<string, { code: number; terminal: boolean; held: boolean }>

export type TaskState = keyof typeof TASK_STATES
export type TerminalState = 'completed' | 'dead' | 'cancelled' | 'expired'
export type LiveState = Exclude<TaskState, TerminalState>

export const TASK_STATE_NAMES: readonly TaskState[] = Object.keys(TASK_STATES) as TaskState[]
export const LIVE_STATES: readonly LiveState[] = TASK_STATE_NAMES.filter(
  (name): name is LiveState => !TASK_STATES[name].terminal,
)
export const TERMINAL_STATES: readonly TerminalState[] = TASK_STATE_NAMES.filter(
  (name): name is TerminalState => TASK_STATES[name].terminal,
)

/** Why a task changed its state. One closed list, from the wire to the metrics. */
export const REASONS = {
  enqueued: 1, // a producer made it
  due: 2, // its delay or backoff ended
  claimed: 3, // a worker took it
  started: 4, // the worker began to run it
  completed: 5, // the worker finished it
  failed: 6, // the worker reported an error
  timed_out: 7, // it ran longer than its execution timeout
  lease_expired: 8, // no heartbeat renewed its lease
  worker_lost: 9, // its worker went silent
  reply_lost: 10, // its claim's reply never reached the worker
  released: 11, // the worker gave it back unharmed
  attempts_exhausted: 12, // it failed as often as allowed
  losses_exhausted: 13, // it lost its worker as often as allowed
  not_retryable: 14, // the error is one that no retry can mend
  cancelled: 15, // a person stopped it
  expired: 16, // it was not started within its time to live
  redriven: 17, // a person gave it a new generation
  unreadable_payload: 18, // its payload on disk failed its checksum
} as const satisfies Record<string, number>

export type Reason = keyof typeof REASONS

/** From a state, which states may follow and for which reasons. Checked exhaustively by a test. */
export const TRANSITIONS: Readonly<
  Record<TaskState, Partial<Readonly<Record<TaskState, readonly Reason[]>>>>
> = {
  scheduled: { queued: ['due'], cancelled: ['cancelled'], expired: ['expired'] },
  queued: {
    assigned: ['claimed'],
    cancelled: ['cancelled'],
    expired: ['expired'],
    dead: ['unreadable_payload'],
  },
  assigned: {
    running: ['started'],
    queued: ['released', 'reply_lost', 'lease_expired', 'worker_lost'],
    retrying: ['failed'],
    dead: ['attempts_exhausted', 'losses_exhausted', 'not_retryable', 'unreadable_payload'],
    completed: ['completed'],
    cancelled: ['cancelled'],
  },
  running: {
    queued: ['released', 'reply_lost', 'lease_expired', 'worker_lost'],
    retrying: ['failed', 'timed_out'],
    dead: ['attempts_exhausted', 'losses_exhausted', 'not_retryable', 'unreadable_payload'],
    completed: ['completed'],
    cancelled: ['cancelled'],
  },
  retrying: { queued: ['due'], cancelled: ['cancelled'], expired: ['expired'] },
  completed: {},
  dead: { queued: ['redriven'] },
  cancelled: { queued: ['redriven'] },
  expired: { queued: ['redriven'] },
}

/** True if the table allows `from` to become `to` for `reason`. */
export function isTransition(from: TaskState, to: TaskState, reason: Reason): boolean {
  return TRANSITIONS[from][to]?.includes(reason) ?? false
}

const STATE_BY_CODE: readonly (TaskState | undefined)[] = byCode(
  TASK_STATE_NAMES.map((name) => [name, TASK_STATES[name].code] as const),
)
const REASON_BY_CODE: readonly (Reason | undefined)[] = byCode(
  Object.entries(REASONS) as [Reason, number][],
)

export function stateOfCode(code: number): TaskState | undefined {
  return STATE_BY_CODE[code]
}

export function reasonOfCode(code: number): Reason | undefined {
  return REASON_BY_CODE[code]
}

export function isTerminal(state: TaskState): state is TerminalState {
  return TASK_STATES[state].terminal
}

export function isTaskState(value: unknown): value is TaskState {
  return typeof value === 'string' && Object.hasOwn(TASK_STATES, value)
}

function byCode<T extends string>(entries: readonly (readonly [T, number])[]): (T | undefined)[] {
  const names: (T | undefined)[] = []
  for (const [name, code] of entries) names[code] = name
  return names
}
