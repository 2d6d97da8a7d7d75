// A line to a broker: requests, answers with their LSN, and a plain word if it is gone.

import type { ReplyOf, RequestOf, TqError, Verb } from '@tq/core'

export type Answer<V extends Verb> =
  | { readonly kind: 'reply'; readonly result: ReplyOf<V>; readonly lsn: number }
  | { readonly kind: 'refusal'; readonly error: TqError }
  /** The line went away first: nobody knows whether it was carried out. */
  | { readonly kind: 'gone' }

export interface Line {
  readonly session: Uint8Array
  readonly isGone: boolean
  ask<V extends Verb>(request: RequestOf<V>): Promise<Answer<V>>
  close(): void
}

/** Opens a line for a session. */
export type Dial = (session: Uint8Array) => Promise<Line>
