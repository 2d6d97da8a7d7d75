// The lines of a history: what a client asked, what it was answered, and what it ran.

import type { Reason, TerminalState } from '@tq/core'

/** Ids are hex text; moments are microseconds of CLOCK_MONOTONIC, the same for all processes. */
export type HistoryLine = AskLine | OkLine | NoLine | RunLine | RanLine | AckLine | EndLine

/** A request, written before its first byte is sent. Without an answer its outcome is unknown. */
export interface AskLine {
  readonly k: 'ask'
  readonly t: number
  /** The connection, and the request's id on it: what its answer is matched by. */
  readonly c: number
  readonly i: number
  /** The session it speaks for. */
  readonly s: string
  readonly a: Ask
}

export type Ask =
  | { readonly v: 'enqueue'; readonly q: string; readonly x: readonly AskedTask[] }
  | { readonly v: 'claim'; readonly n: number }
  | { readonly v: 'complete' | 'release' | 'start'; readonly x: readonly Held[] }
  /** `n`: all claims up to this number have been answered. */
  | { readonly v: 'heartbeat'; readonly n: number; readonly x: readonly Held[] }
  | { readonly v: 'fail'; readonly x: readonly AskedFailure[] }
  | { readonly v: 'cancel' | 'redrive'; readonly x: readonly string[] }
  | { readonly v: 'leave' }

export type Held = readonly [id: string, token: number]
export type AskedFailure = readonly [id: string, token: number, isRetryable: boolean]

export interface AskedTask {
  readonly id: string
  /** Over queue, type and payload: what an idempotency key compares here. */
  readonly h: string
  readonly key?: string
  readonly attempts: number
  readonly losses: number
  /** It may expire before anybody starts it. */
  readonly expires?: true
  /** Its attempts may run out of time. */
  readonly timed?: true
}

/** A reply, written before the client hears of it. */
export interface OkLine {
  readonly k: 'ok'
  readonly t: number
  readonly c: number
  readonly i: number
  readonly l: number
  readonly r: Reply
}

export interface Reply {
  /** Of an enqueue, if the broker chose other ids. */
  readonly ids?: readonly string[]
  /** Of a claim. */
  readonly leased?: readonly GrantedLease[]
  /** Of a heartbeat: what is to be stopped, with the reason. */
  readonly stop?: readonly (readonly [id: string, token: number, reason: string])[]
  /** Of verbs that judge each item: indexes that had happened before, and those refused. */
  readonly already?: readonly number[]
  readonly refused?: readonly (readonly [index: number, code: string])[]
  /** Of a cancel or fail: what became of each item. */
  readonly outcomes?: readonly (string | null)[]
}

export interface GrantedLease {
  readonly id: string
  readonly token: number
  readonly attempt: number
  readonly failures: number
  readonly losses: number
  readonly h: string
}

/** A refusal of the request as a whole. */
export interface NoLine {
  readonly k: 'no'
  readonly t: number
  readonly c: number
  readonly i: number
  readonly code: string
}

/** A handler was called, or has ended. */
export interface RunLine {
  readonly k: 'run'
  readonly t: number
  readonly id: string
  readonly token: number
}

export interface RanLine {
  readonly k: 'ran'
  readonly t: number
  readonly id: string
  readonly token: number
}

/** The SDK has told its user that these tasks are stored. */
export interface AckLine {
  readonly k: 'ack'
  readonly t: number
  readonly ids: readonly string[]
}

/** How the store at rest holds a task that has ended; written when everything has stopped. */
export interface EndLine {
  readonly k: 'end'
  readonly id: string
  readonly queue: string
  readonly state: TerminalState
  readonly reason: Reason
  readonly failures: number
  readonly losses: number
  readonly generation: number
  /** The token under which the stored result was made; absent if there is none. */
  readonly by?: number
}
