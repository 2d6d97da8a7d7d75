// The one table of refusal codes, and the typed error that carries them.

export interface ErrorCodeEntry {
  /** True if the same request may succeed later without being changed. */
  readonly retryable: boolean
  readonly meaning: string
}

export const ERROR_CODES = {
  BAD_REQUEST: { retryable: false, meaning: 'The request does not have the documented form.' },
  UNAUTHENTICATED: { retryable: false, meaning: 'No valid token was presented.' },
  FORBIDDEN: { retryable: false, meaning: 'The principal may not do this.' },
  NOT_FOUND: { retryable: false, meaning: 'The task, queue or request does not exist (any more).' },
  CONFLICT: { retryable: false, meaning: 'The same id or key was used for a different request.' },
  STALE_LEASE: { retryable: false, meaning: 'The lease ended, or another token holds the task.' },
  INVALID_STATE: { retryable: false, meaning: 'The state of the task or queue forbids this.' },
  TOO_LARGE: { retryable: false, meaning: 'A part of the request is over its limit.' },
  QUEUE_PAUSED: { retryable: true, meaning: 'The queue is paused and refuses this until resumed.' },
  RESOURCE_EXHAUSTED: { retryable: true, meaning: 'A limit of the broker is reached; back off.' },
  NO_SPACE: {
    retryable: true,
    meaning: 'Free disk space is below the floor; new work is refused.',
  },
  UNAVAILABLE: { retryable: true, meaning: 'The broker is starting, stopping or not reachable.' },
  NOT_OWNER: {
    retryable: true,
    meaning: 'Another broker owns this partition; its address is named.',
  },
  OUTCOME_UNKNOWN: {
    retryable: false,
    meaning: 'The request may or may not have taken effect; it cannot be told any more.',
  },
  TIMEOUT: { retryable: true, meaning: 'No answer came within the time allowed.' },
  UNSUPPORTED: { retryable: false, meaning: 'This broker does not know the verb or version.' },
  INTERNAL: { retryable: false, meaning: 'A bug in tq; the broker log has more.' },
} as const satisfies Record<string, ErrorCodeEntry>

export type ErrorCode = keyof typeof ERROR_CODES

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value)
}

/** Facts that belong to a refusal, such as `index`, `field` or `retryAfterMs`. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

/** The one error that leaves tq's packages. Compare `code`, never the text. */
export class TqError extends Error {
  override readonly name = 'TqError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable
  }

  /** How long to wait before trying again, in ms, if the broker said so. */
  get retryAfterMs(): number | undefined {
    const value = this.details['retryAfterMs']
    return typeof value === 'number' ? value : undefined
  }
}
