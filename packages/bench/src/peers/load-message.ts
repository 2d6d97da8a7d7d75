// What the comparison says to a load process, and what it hears back.

import type { LedgerVerdict } from './task-ledger.ts'

/** Tasks of a phase: the numbers from `first` on, `count` of them. */
export interface TaskRange {
  readonly first: number
  readonly count: number
}

export type LoadOrder =
  | {
      readonly kind: 'meet'
      readonly peer: string
      readonly port: number
      readonly payloadBytes: number
    }
  | { readonly kind: 'open-producers'; readonly connections: number }
  | {
      readonly kind: 'enqueue'
      readonly tasks: TaskRange
      /** Tasks of a request; 1 sends one task a request. */
      readonly batch: number
      /** Requests under way on each connection. */
      readonly outstanding: number
    }
  /** Answered when the workers run. */
  | {
      readonly kind: 'open-workers'
      readonly tasks: TaskRange
      readonly connections: number
      readonly slots: number
    }
  /** Answered when every task has been acknowledged, or when nothing more comes. */
  | { readonly kind: 'finish-workers' }
  | { readonly kind: 'close-workers' }
  /** One task at a time in this one process: enqueue it, wait for its handler and for its end. */
  | { readonly kind: 'latency'; readonly tasks: TaskRange; readonly slots: number }

export type LoadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'enqueued'; readonly span: Span; readonly cpuUs: number }
  | {
      readonly kind: 'worked'
      /** From the start of the first handler to the last acknowledgement. */
      readonly span: Span
      readonly cpuUs: number
      readonly verdict: LedgerVerdict
    }
  | {
      readonly kind: 'latency'
      /** From the call of enqueue to the start of the handler, in ms. */
      readonly startMs: readonly number[]
      /** From the call of enqueue to its acknowledgement, in ms. */
      readonly ackMs: readonly number[]
      readonly verdict: LedgerVerdict
    }
  | { readonly kind: 'failed'; readonly message: string }

/** Times in ms on the machine's monotonic clock, so that those of two processes can be compared. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
