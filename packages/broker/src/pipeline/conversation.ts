// One connection as the pipeline sees it: who speaks, for which session, and how to answer.

import {
  encodePushFrame,
  encodeRefusalFrame,
  encodeReplyFrame,
  type ErrorCode,
  type ErrorDetails,
  FRAME_HEADER_BYTES,
  limits,
  type Verb,
} from '@tq/core'
import { sessionKey } from '../engine/session.ts'

/** What a connection can do for the pipeline. */
export interface Sink {
  /** Queues a frame; frames of one turn leave in one write. */
  send(frame: Uint8Array): void
  /** Stops (or goes on) handing over requests: the pipeline has no room for more. */
  setReading(isReading: boolean): void
  /** So much waits to be read that nothing large should join it. */
  readonly isFull: boolean
}

/** Counts the bytes of requests while they are carried out. */
export interface InputCount {
  hold(bytes: number): void
  free(bytes: number): void
  /** What is held begins to wait; false if too much waits already. */
  park(bytes: number): boolean
  unpark(bytes: number): void
}

interface Outstanding {
  readonly verb: Verb
  readonly bytes: number
  isParked: boolean
}

export interface Speaker {
  readonly principal: string
  readonly session: Uint8Array
}

/** Verbs whose answers may have megabytes, and that lose nothing by being asked again. */
const MAY_BE_LARGE: ReadonlySet<Verb> = new Set<Verb>([
  'backup',
  'claim',
  'get',
  'list',
  'startup-log',
  'stats',
  'wait',
  'workers',
])
/** Verbs that are parked without an answer, and that nobody answers when their connection is gone. */
const ONLY_WAITS: ReadonlySet<Verb> = new Set<Verb>(['backup', 'claim', 'wait'])
const ROOM_AFTER_MS = 100
/** Waiting requests are many, and make room as slowly as work comes. */
const PARKING_AFTER_MS = 1_000

export class Conversation {
  readonly principal: string
  readonly session: Uint8Array
  readonly sessionKey: string
  readonly sink: Sink
  isOpen = true
  /** Its session speaks over a newer connection: what still comes over this one may come late. */
  isSuperseded = false
  /** Told of the bytes of each request until it has been answered. */
  input: InputCount | undefined
  /** Requests that have not been answered, by request id. */
  readonly #outstanding = new Map<number, Outstanding>()
  readonly #onAnswer: (verb: Verb, code: ErrorCode | 'OK') => void

  constructor(
    sink: Sink,
    speaker: Speaker,
    onAnswer: (verb: Verb, code: ErrorCode | 'OK') => void,
  ) {
    this.sink = sink
    this.principal = speaker.principal
    this.session = speaker.session
    this.sessionKey = sessionKey(speaker.session)
    this.#onAnswer = onAnswer
  }

  get inFlight(): number {
    return this.#outstanding.size
  }

  /** Notes a request; false if its id belongs to one that has not been answered. */
  begin(id: number, verb: Verb, bytes = 0): boolean {
    if (this.#outstanding.has(id)) return false
    this.#outstanding.set(id, { verb, bytes, isParked: false })
    this.input?.hold(bytes)
    return true
  }

  /** Nobody is there to hear the answer, and nothing is done about the request any more. */
  drop(id: number): void {
    const request = this.#outstanding.get(id)
    if (request === undefined) return
    if (request.isParked) this.input?.unpark(request.bytes)
    else this.input?.free(request.bytes)
    this.#outstanding.delete(id)
  }

  /**
   * A request is about to wait, and must not keep others from being read meanwhile. False if it
   * was refused instead, for too many wait already.
   */
  park(id: number): boolean {
    const request = this.#outstanding.get(id)
    if (request === undefined || request.isParked) return true
    request.isParked = this.input?.park(request.bytes) ?? true
    if (request.isParked) return true
    const text = 'too many bytes of requests wait already for work or for the end of a task'
    this.refuse(id, 'RESOURCE_EXHAUSTED', text, { retryAfterMs: PARKING_AFTER_MS })
    return false
  }

  /** The connection is gone: what only waits is dropped, what is carried out goes on. */
  dropWaiting(): void {
    for (const [id, { verb }] of this.#outstanding) if (ONLY_WAITS.has(verb)) this.drop(id)
  }

  reply(id: number, result: unknown, lsn: number): void {
    const verb = this.#outstanding.get(id)?.verb
    if (verb !== undefined && MAY_BE_LARGE.has(verb) && this.sink.isFull) {
      // Dropping the connection instead would make its client ask for all of them again, for ever.
      const text = 'too many answers wait to be read on this connection'
      this.refuse(id, 'RESOURCE_EXHAUSTED', text, { retryAfterMs: ROOM_AFTER_MS })
      return
    }
    const frame = encodeReplyFrame(id, result, lsn)
    if (frame.length > FRAME_HEADER_BYTES + limits.FRAME_BYTES_MAX) {
      // A client drops the connection at such a frame, and would ask again over the next one.
      const text = `the answer has ${frame.length} bytes, a frame at most ${limits.FRAME_BYTES_MAX}; ask for less`
      this.refuse(id, 'TOO_LARGE', text)
      return
    }
    this.#end(id, 'OK')
    if (this.isOpen) this.sink.send(frame)
  }

  refuse(id: number, code: ErrorCode, message: string, details: ErrorDetails = {}): void {
    this.#end(id, code)
    if (this.isOpen) this.sink.send(encodeRefusalFrame(id, code, message, details))
  }

  /** Refuses a request that has no entry of its own here: its id belongs to another one. */
  refuseUncounted(id: number, code: ErrorCode, message: string): void {
    if (this.isOpen) this.sink.send(encodeRefusalFrame(id, code, message))
  }

  push(channel: string, data: unknown): void {
    if (this.isOpen) this.sink.send(encodePushFrame(channel, data))
  }

  #end(id: number, code: ErrorCode | 'OK'): void {
    const request = this.#outstanding.get(id)
    if (request === undefined) return
    this.drop(id)
    this.#onAnswer(request.verb, code)
  }
}
