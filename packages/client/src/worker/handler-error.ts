// What a handler throws to say how its failure is to be treated, and how any error is reported.

import { limits, type TaskError, TqError } from '@tq/core'
import { cutText } from './cut-text.ts'

export interface HandlerErrorOptions {
  /** False: the task is dead at once, whatever its retry policy says. */
  readonly retryable?: boolean
  /** When to try again, in ms from now; wins over the policy. */
  readonly retryAfterMs?: number
  /** What retry policies match on; default `HandlerError`. */
  readonly type?: string
  readonly cause?: unknown
}

/** A failure with a say in what comes next. Any error with these properties has it, too. */
export class HandlerError extends Error {
  override readonly name: string
  readonly retryable: boolean | undefined
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: HandlerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = options.type ?? 'HandlerError'
    this.retryable = options.retryable
    this.retryAfterMs = options.retryAfterMs
  }
}

export interface FailureReport {
  readonly error: TaskError
  readonly retryable?: boolean
  readonly retryAfterMs?: number
}

/** What is told to the broker about anything that a handler threw. */
export function failureOf(thrown: unknown): FailureReport {
  if (!(thrown instanceof Error)) {
    const message = cutText(`the handler threw ${textOf(thrown)}`, limits.ERROR_MESSAGE_BYTES_MAX)
    return { error: { message, type: `thrown ${typeof thrown}` } }
  }
  const message = cutText(thrown.message || thrown.name, limits.ERROR_MESSAGE_BYTES_MAX)
  const type = cutText(thrown.name, limits.ERROR_TYPE_BYTES_MAX)
  const stack = thrown.stack === undefined ? {} : { stack: stackOf(thrown.stack) }
  return { error: { message, type, ...stack }, ...wishesOf(thrown) }
}

function wishesOf(thrown: Error): { readonly retryable?: boolean; readonly retryAfterMs?: number } {
  // A TqError speaks of a request that the handler made, not of the handler's own task.
  if (thrown instanceof TqError) return {}
  const { retryable, retryAfterMs } = thrown as Partial<Record<string, unknown>> & Error
  const isDelay =
    typeof retryAfterMs === 'number' && retryAfterMs >= 0 && retryAfterMs <= limits.DELAY_MS_MAX
  return {
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
    ...(isDelay ? { retryAfterMs: Math.round(retryAfterMs) } : {}),
  }
}

function stackOf(stack: string): string {
  return cutText(stack, limits.ERROR_STACK_BYTES_MAX)
}

function textOf(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown))
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}
