// What deciding gives: a reply, or a refusal as a value.

import type { ErrorCode, ErrorDetails, ItemRefusal, ItemsReply } from '@tq/core'
import type { Circumstances } from './command.ts'
import type { Fact } from './fact.ts'
import type { EngineState } from './state.ts'

/**
 * What a decide function works with. It reads the state and changes it only by `emit`, which applies
 * the fact at once. All refusals come before the first emit: a refused command changes nothing.
 */
export interface Turn extends Circumstances {
  readonly state: EngineState
  readonly emit: (fact: Fact) => void
}

export class Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    this.code = code
    this.message = message
    this.details = details
  }
}

export function refuse(code: ErrorCode, message: string, details?: ErrorDetails): Refusal {
  return new Refusal(code, message, details)
}

/** How one item of a request fared that judges each item by itself. */
export type Verdict = 'ok' | 'already' | Refusal

/** Collects the verdicts of a request into its reply; items that went well are only counted. */
export function judge<T>(
  items: readonly T[],
  decide: (item: T, index: number) => Verdict,
): ItemsReply {
  let ok = 0
  let already: number[] | undefined
  let refused: ItemRefusal[] | undefined
  items.forEach((item, index) => {
    const verdict = decide(item, index)
    if (verdict === 'ok') ok += 1
    else if (verdict === 'already') (already ??= []).push(index)
    else (refused ??= []).push([index, verdict.code, verdict.message])
  })
  return {
    ok,
    ...(already === undefined ? {} : { already }),
    ...(refused === undefined ? {} : { refused }),
  }
}
