// A task as the ledger knows it: what was acknowledged of it, and what was asked without an answer.

import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { isTerminal, type TaskDescription, type TaskIdBytes } from '@tq/core'

export type Standing =
  | { readonly kind: 'absent' }
  /** Scheduled, queued or retrying: which of them depends on the moment. */
  | { readonly kind: 'waiting'; readonly failures: number }
  | {
      readonly kind: 'held'
      readonly failures: number
      readonly token: number
      readonly session: string
      readonly cancelRequested: boolean
    }
  | {
      readonly kind: 'ended'
      readonly failures: number
      readonly state: string
      readonly resultHash: string | undefined
    }

export type HeldStanding = Extract<Standing, { kind: 'held' }>

export const ABSENT: Standing = { kind: 'absent' }

export interface LedgerTask {
  readonly id: TaskIdBytes
  /** The id as hex text. */
  readonly key: string
  readonly queue: string
  readonly payloadHash: string
  readonly idempotencyKey: string | undefined
  standing: Standing
  /** LSN of the last acknowledgement about it. */
  lsn: number
  /** The last token that it was given; 0 before the first. */
  token: number
  /** The change that somebody has asked for and has no answer to. */
  pending: Change | undefined
  /** Held, and nobody is just asking something about it. */
  isIdle: boolean
}

/** What a request does to one task if it is carried out. */
export interface Change {
  readonly task: LedgerTask
  readonly after: Standing
  /** What is known of it without an answer. */
  verdict: 'taken' | 'not taken' | undefined
}

export function standingOf(description: TaskDescription): Standing {
  const { state, failures, lease, end, cancelRequested = false } = description
  if (isTerminal(state)) {
    const resultHash = end?.result === undefined ? undefined : hashOf(end.result)
    return { kind: 'ended', failures, state, resultHash }
  }
  if (lease === undefined) return { kind: 'waiting', failures }
  const { token, session } = lease
  return { kind: 'held', failures, token, session: hexOf(session), cancelRequested }
}

export function isSame(one: Standing, other: Standing): boolean {
  return isDeepStrictEqual(one, other)
}

/** For people, such as `held {"failures":0,"token":4294967297}`. */
export function textOf(standing: Standing): string {
  const { kind, ...rest } = standing
  return kind === 'absent' ? kind : `${kind} ${JSON.stringify(rest)}`
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('base64')
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
