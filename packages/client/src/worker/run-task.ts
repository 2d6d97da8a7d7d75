// One task's road through a worker: from its claim to the report of how it ended. Read this first.

import { limits, type TaskError, unreachable } from '@tq/core'
import { type FailureReport, failureOf } from './handler-error.ts'
import type { Handlers } from './handler.ts'
import { bytesOf } from '../opaque-bytes.ts'
import type { RunningTask } from './running-task.ts'

/** What is told to the broker about a task that its worker is done with. */
export type Report =
  | { readonly kind: 'complete'; readonly result: Uint8Array | undefined }
  | ({ readonly kind: 'fail' } & FailureReport)
  /** Given back unharmed, or the confirmation of a cancel. */
  | { readonly kind: 'release' }
  /** The lease is somebody else's by now, or nobody's: there is nothing to tell. */
  | { readonly kind: 'nothing' }

export interface TaskRoad {
  readonly handlers: Handlers
  /** True if the lease may have ended by the worker's own clock. */
  isLeaseOver(running: RunningTask): boolean
  report(running: RunningTask, report: Report): void
}

/** Runs the handler of the task and reports how it went. Never rejects. */
export async function runTask(road: TaskRoad, running: RunningTask): Promise<void> {
  const outcome = await runHandler(road.handlers, running)
  // The timer that watches over leases could not fire if the handler kept the thread busy.
  if (running.stopCause === undefined && road.isLeaseOver(running)) running.stop('lease-lost')
  road.report(running, reportOf(running, outcome))
}

type Outcome = Extract<Report, { kind: 'complete' | 'fail' }>

async function runHandler(handlers: Handlers, running: RunningTask): Promise<Outcome> {
  const { task } = running
  const handler = handlers.for(task.type)
  // Not released: it would come back at once, for ever. A retry may meet a newer worker.
  if (handler === undefined) return failed(noHandlerError(task.type, handlers.types))
  try {
    const value = await handler(task, running)
    const result = value === undefined ? undefined : bytesOf(value)
    const bytes = result?.length ?? 0
    return bytes > limits.RESULT_BYTES_MAX ? failed(tooLargeError(bytes)) : completed(result)
  } catch (error) {
    return { kind: 'fail', ...failureOf(error) }
  }
}

function reportOf(running: RunningTask, outcome: Outcome): Report {
  const cause = running.stopCause
  switch (cause) {
    case undefined:
      return outcome
    case 'cancelled':
      return { kind: 'release' }
    case 'shutdown':
      return outcome.kind === 'complete' ? outcome : { kind: 'release' }
    case 'timed_out':
    case 'lost':
    case 'unknown':
    case 'lease-lost':
      return { kind: 'nothing' }
    default:
      return unreachable(cause)
  }
}

function completed(result: Uint8Array | undefined): Outcome {
  return { kind: 'complete', result }
}

function failed(failure: { readonly error: TaskError; readonly retryable?: boolean }): Outcome {
  return { kind: 'fail', ...failure }
}

function noHandlerError(type: string, known: readonly string[]): { readonly error: TaskError } {
  const message = `this worker has no handler for type "${type}"; it handles ${known.join(', ')}`
  return { error: { type: 'NoHandlerError', message } }
}

function tooLargeError(bytes: number): { readonly error: TaskError; readonly retryable: false } {
  const limit = `at most ${limits.RESULT_BYTES_MAX} are allowed; keep bigger data in a store`
  const message = `the result has ${bytes} bytes; ${limit}`
  return { error: { type: 'ResultTooLargeError', message }, retryable: false }
}
