// One request on its way: what it asks, how far it got, and what its failures are called.

import { type ErrorDetails, type Request, TqError, unreachable, type Verb } from '@tq/core'

export interface Call {
  readonly request: Request
  /** By the monotonic clock; Infinity: until the client is closed. */
  readonly deadlineAtMs: number
  readonly issuedAtMs: number
  /** Bytes of payloads and results inside; what bounds the buffer. */
  readonly bytes: number
  /** False: fails when its connection is lost, instead of being sent again. */
  readonly isResent: boolean
  /** True: leaves before all others, and also when the requests in flight are at their limit. */
  readonly isControl: boolean
  readonly done: (result: unknown) => void
  readonly failed: (error: unknown) => void
  state: 'waiting' | 'in-flight' | 'pausing' | 'settled'
  /** Id on the current connection. */
  id: number
  firstSentAtMs: number | undefined
  sentAtMs: number
  refusals: number
  redirects: number
  /** Why its caller does not want the answer any more. */
  abort: { readonly reason: unknown } | undefined
}

export interface CallPlan {
  readonly request: Request
  readonly deadlineAtMs: number
  readonly bytes?: number
  readonly isResent?: boolean
  readonly isControl?: boolean
  readonly done: (result: never) => void
  readonly failed: (error: unknown) => void
}

export function makeCall(plan: CallPlan, issuedAtMs: number): Call {
  return {
    request: plan.request,
    deadlineAtMs: plan.deadlineAtMs,
    issuedAtMs,
    bytes: plan.bytes ?? 0,
    isResent: plan.isResent ?? true,
    isControl: plan.isControl ?? false,
    done: plan.done as (result: unknown) => void,
    failed: plan.failed,
    state: 'waiting',
    id: 0,
    firstSentAtMs: undefined,
    sentAtMs: 0,
    refusals: 0,
    redirects: 0,
    abort: undefined,
  }
}

/** What to send now: a request that was sent before may say so, and may wait less. */
export function requestToSend(call: Call, nowMs: number): Request {
  const { request, firstSentAtMs } = call
  if (firstSentAtMs === undefined) return request
  const agoMs = Math.max(0, Math.round(nowMs - firstSentAtMs))
  switch (request.verb) {
    case 'enqueue':
      return { ...request, fresh: false, sentAgoMs: agoMs + (request.sentAgoMs ?? 0) }
    case 'wait':
    case 'claim':
      return { ...request, waitMs: Math.max(0, request.waitMs - agoMs) }
    default:
      return request
  }
}

/** True if the caller must know that the request may have taken effect. */
export function mayHaveChanged(verb: Verb): boolean {
  switch (verb) {
    case 'hello':
    case 'ping':
    case 'abort':
    case 'heartbeat':
    case 'get':
    case 'wait':
    case 'list':
    case 'stats':
    case 'workers':
    case 'startup-log':
    case 'backup':
      return false
    case 'register':
    case 'leave':
    case 'enqueue':
    case 'claim':
    case 'start':
    case 'progress':
    case 'complete':
    case 'fail':
    case 'release':
    case 'cancel':
    case 'redrive':
    case 'set-priority':
    case 'queue-set':
    case 'queue-pause':
    case 'queue-resume':
    case 'queue-purge':
      return true
    default:
      return unreachable(verb)
  }
}

/** The failure of a call whose time is over. */
export function overdueError(call: Call, lastError: TqError | undefined): TqError {
  const { verb } = call.request
  const afterMs = Math.round(call.deadlineAtMs - call.issuedAtMs)
  const details: ErrorDetails = { verb, afterMs }
  if (call.firstSentAtMs === undefined) {
    const why = lastError === undefined ? 'the client is too busy' : lastError.message
    const text = `${verb} was not sent within ${afterMs} ms, and changed nothing: ${why}`
    return new TqError('UNAVAILABLE', text, details, lastError)
  }
  const text = `${verb} was not answered within ${afterMs} ms${unknownOutcome(verb)}`
  return new TqError('TIMEOUT', text, details, lastError)
}

/** The failure of a call that ends with its connection or its client. */
export function cutOffError(call: Call, why: string, cause?: TqError): TqError {
  const { verb } = call.request
  const wasSent = call.firstSentAtMs !== undefined
  const effect = wasSent ? unknownOutcome(verb) : '; it was not sent and changed nothing'
  return new TqError('UNAVAILABLE', `${verb}: ${why}${effect}`, { verb }, cause)
}

function unknownOutcome(verb: Verb): string {
  if (!mayHaveChanged(verb)) return ''
  return '; its outcome is unknown: it may or may not have taken effect, and asking again is safe'
}
