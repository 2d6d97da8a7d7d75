// How tq-admin ends, as a number for scripts.

import type { ErrorCode, TaskState } from '@tq/core'

export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done; a task that was waited for has completed' },
  failed: {
    code: 1,
    meaning: 'it failed, the task ended dead, cancelled or expired, or a check found something',
  },
  usage: { code: 2, meaning: 'the command is not right: nothing was sent, or it was refused' },
  notFound: { code: 3, meaning: 'there is no such task or queue (any more)' },
  conflict: { code: 4, meaning: 'the state of the task or queue forbids it, or a key is taken' },
  denied: { code: 5, meaning: 'the token is missing, unknown, or may not do this' },
  unreachable: { code: 6, meaning: 'no broker was reached, or the time was over' },
  partial: { code: 7, meaning: 'some of several tasks were done, others refused' },
  look: { code: 8, meaning: 'doctor: something deserves a look' },
  wrong: { code: 9, meaning: 'doctor: something is wrong' },
  notDone: {
    code: 10,
    meaning:
      'store: nothing was done: no space, no permission, a failing disk, or no store to read',
  },
  interrupted: { code: 130, meaning: 'interrupted with Ctrl-C' },
} as const satisfies Record<string, { code: number; meaning: string }>

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]['code']

const BY_ERROR_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  BAD_REQUEST: EXIT_CODES.usage.code,
  UNAUTHENTICATED: EXIT_CODES.denied.code,
  FORBIDDEN: EXIT_CODES.denied.code,
  NOT_FOUND: EXIT_CODES.notFound.code,
  CONFLICT: EXIT_CODES.conflict.code,
  STALE_LEASE: EXIT_CODES.conflict.code,
  INVALID_STATE: EXIT_CODES.conflict.code,
  TOO_LARGE: EXIT_CODES.usage.code,
  QUEUE_PAUSED: EXIT_CODES.conflict.code,
  RESOURCE_EXHAUSTED: EXIT_CODES.failed.code,
  NO_SPACE: EXIT_CODES.failed.code,
  UNAVAILABLE: EXIT_CODES.unreachable.code,
  NOT_OWNER: EXIT_CODES.unreachable.code,
  OUTCOME_UNKNOWN: EXIT_CODES.failed.code,
  TIMEOUT: EXIT_CODES.unreachable.code,
  UNSUPPORTED: EXIT_CODES.failed.code,
  INTERNAL: EXIT_CODES.failed.code,
}

export function exitCodeOfError(code: ErrorCode): ExitCode {
  // A newer broker may have codes that are not known here.
  return (BY_ERROR_CODE[code] as ExitCode | undefined) ?? EXIT_CODES.failed.code
}

/** How a command on several items ends: all refused for one cause, some refused, or none. */
export function exitCodeOfItems(count: number, refused: readonly ErrorCode[]): ExitCode {
  const [first] = refused
  if (first === undefined) return EXIT_CODES.ok.code
  const isOneCause = refused.length === count && refused.every((code) => code === first)
  return isOneCause ? exitCodeOfError(first) : EXIT_CODES.partial.code
}

/** How waiting for a task ends that has come to this state. */
export function exitCodeOfState(state: TaskState): ExitCode {
  return state === 'completed' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code
}

/** The table for the help text. */
export function exitCodesText(): string {
  const lines = Object.values(EXIT_CODES).map(({ code, meaning }) => {
    return `  ${String(code).padEnd(5)}${meaning}`
  })
  return ['Exit codes:', ...lines].join('\n')
}
