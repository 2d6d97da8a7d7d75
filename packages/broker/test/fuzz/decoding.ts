// One body through the decoder: it must end quickly, with a request or a typed refusal, and nothing else.

import {
  decodeRequest,
  encodeRequestFrame,
  FRAME_HEADER_BYTES,
  RequestError,
  TqError,
} from '@tq/core'
import { InputWatch } from './input-watch.ts'
import { isProtocolValue } from './reference-reader.ts'

/** Longest time that the decoding of one frame may take, in ms of CPU. */
export const DECODE_MS_MAX = 50
/** A measurement may hold a garbage collection; decoding itself is as slow every time. */
const MEASUREMENTS = 3
/** A refusal is a sentence or two. */
const TEXT_LENGTH_MAX = 1_000

/**
 * What is wrong with how this body was decoded; undefined if nothing.
 * @param watch Over the decoder alone: what judges it is slow, and no broker does that.
 */
export function faultOfDecoding(body: Uint8Array, watch = new InputWatch()): string | undefined {
  const before = Buffer.from(body)
  const outcome = outcomeOf(body, watch)
  if (!before.equals(body)) return 'decoding has changed its bytes'
  if (typeof outcome === 'string') return outcome
  const isRead = outcome.kind === 'request' || outcome.error.details['offset'] === undefined
  if (isRead === isProtocolValue(body)) return undefined
  return isRead ? 'it takes what the protocol does not allow' : 'it refuses what is allowed'
}

type Outcome =
  { readonly kind: 'request' } | { readonly kind: 'refusal'; readonly error: RequestError }

/** What became of it, or what is wrong with that. */
function outcomeOf(body: Uint8Array, watch: InputWatch): Outcome | string {
  try {
    const { id, request } = watchedDecode(body, watch)
    const again = encodeRequestFrame(id, request).slice(FRAME_HEADER_BYTES)
    const back = decodeRequest(again)
    // What was understood must be what would be said.
    if (back.id === id && isSame(back.request, request)) return { kind: 'request' }
    return 'it decodes to another request when it is encoded again'
  } catch (error) {
    if (!(error instanceof RequestError)) {
      return `it throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
    }
    const isSpeaking = error.message !== '' && error.message.length <= TEXT_LENGTH_MAX
    return isSpeaking ? { kind: 'refusal', error } : `its refusal says ${error.message}`
  }
}

function watchedDecode(body: Uint8Array, watch: InputWatch): ReturnType<typeof decodeRequest> {
  watch.begin()
  try {
    return decodeRequest(body)
  } finally {
    watch.end()
  }
}

/** CPU time of one decoding, in ms, whatever else the machine does. */
export function decodeCpuMs(body: Uint8Array): number {
  let least = Infinity
  for (let times = 0; times < MEASUREMENTS; times += 1) {
    const before = process.cpuUsage()
    try {
      decodeRequest(body)
    } catch (error) {
      if (!(error instanceof TqError)) throw error
    }
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1_000)
    // What is far from the limit need not be measured again.
    if (least <= DECODE_MS_MAX / 10) break
  }
  return least
}

/** The same in every part. 0 and -0 are one number on the wire. */
function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return one === other
  if (one === null || other === null) return one === other
  if (one instanceof Uint8Array && other instanceof Uint8Array) {
    return Buffer.compare(one, other) === 0
  }
  const [parts, others] = [definedIn(one), definedIn(other)]
  return (
    Array.isArray(one) === Array.isArray(other) &&
    parts.length === others.length &&
    parts.every(([name, part]) => isSame(part, (other as Record<string, unknown>)[name]))
  )
}

function definedIn(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, part]) => part !== undefined)
}
