// The answer to a request whose items are judged one by one.

import { type ErrorCode, type ItemsReply, TqError } from '@tq/core'

export interface ItemsAnswer {
  /** Items that were carried out now. */
  readonly ok: number
  /** Indexes of items that had happened before; nothing changed. */
  readonly already: readonly number[]
  readonly refused: readonly {
    readonly index: number
    readonly code: ErrorCode
    readonly message: string
  }[]
}

export function itemsAnswer(reply: ItemsReply): ItemsAnswer {
  const refused = (reply.refused ?? []).map(([index, code, message]) => ({ index, code, message }))
  return { ok: reply.ok, already: reply.already ?? [], refused }
}

/** Throws the first refusal of an item as a TqError; for callers who want all or an error. */
export function throwIfRefused<A extends ItemsAnswer>(answer: A): A {
  const first = answer.refused[0]
  if (first === undefined) return answer
  throw new TqError(first.code, first.message, { index: first.index })
}
