// What the protocol says must follow from these bytes, whoever sends them after a greeting.

import { decodeRequest, FrameDecoder, limits, type Request, RequestError, TqError } from '@tq/core'

export type Expected =
  | { readonly kind: 'any-answer'; readonly id: number; readonly request: Request }
  | { readonly kind: 'refusal'; readonly id: number; readonly code: string }

export interface Expectation {
  readonly answers: readonly Expected[]
  /** `ended`: the broker ends the connection. `amid`: it waits for the rest of a frame. */
  readonly outcome: 'open' | 'ended' | 'amid'
}

export function expectationOf(bytes: Uint8Array): Expectation {
  const decoder = new FrameDecoder(limits.FRAME_BYTES_MAX)
  const answers: Expected[] = []
  const bodies: Uint8Array[] = []
  let broken: TqError | undefined
  try {
    bodies.push(...decoder.push(bytes))
  } catch (error) {
    if (!(error instanceof TqError)) throw error
    broken = error
  }
  // A chunk is split as a whole: where it breaks, none of its frames is taken.
  if (broken !== undefined) {
    return { answers: [{ kind: 'refusal', id: 0, code: broken.code }], outcome: 'ended' }
  }
  for (const body of bodies) {
    try {
      const { id, request } = decodeRequest(body)
      answers.push({ kind: 'any-answer', id, request })
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      const { requestId: id, code } = error
      answers.push({ kind: 'refusal', id, code })
      if (id === 0) return { answers, outcome: 'ended' }
    }
  }
  return { answers, outcome: decoder.pendingBytes > 0 ? 'amid' : 'open' }
}
