// Who may begin a conversation, and what they are told first.

import {
  type HelloRequest,
  limits,
  PROTOCOL_VERSION,
  type Random,
  type ReplyOf,
  TqError,
} from '@tq/core'
import type { Conversation, Sink } from '../pipeline/conversation.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'

/** What every client is told about this broker. */
export interface Welcome {
  readonly version: string
  readonly epoch: number
  readonly heartbeatMs: number
  readonly workerDeadMs: number
  readonly frameBytesMax: number
  readonly inFlightMax: number
}

export interface ReceptionParts {
  readonly pipeline: Pipeline
  /** The name of the principal behind a token; undefined if it opens nothing. */
  readonly authenticate: (token: string | undefined, isLoopback: boolean) => string | undefined
  readonly random: Random
  readonly wallMs: () => number
}

const SESSION_BYTES = 16

export class Reception {
  readonly #parts: ReceptionParts
  readonly #welcome: Welcome

  constructor(parts: ReceptionParts, welcome: Welcome) {
    this.#parts = parts
    this.#welcome = welcome
  }

  /** @throws {TqError} `UNAUTHENTICATED`. */
  greet(
    sink: Sink,
    hello: HelloRequest,
    isLoopback: boolean,
  ): { readonly conversation: Conversation; readonly reply: ReplyOf<'hello'> } {
    const principal = this.#parts.authenticate(hello.token, isLoopback)
    if (principal === undefined) {
      const what = hello.token === undefined ? 'a token is needed' : 'this token opens nothing'
      throw new TqError('UNAUTHENTICATED', what)
    }
    const session = hello.session ?? this.#newSession()
    const conversation = this.#parts.pipeline.open(sink, { principal, session })
    return { conversation, reply: this.#replyTo(principal, session) }
  }

  #newSession(): Uint8Array {
    const session = new Uint8Array(SESSION_BYTES)
    this.#parts.random.fill(session)
    return session
  }

  #replyTo(principal: string, session: Uint8Array): ReplyOf<'hello'> {
    const { version, epoch, heartbeatMs, workerDeadMs, frameBytesMax, inFlightMax } = this.#welcome
    return {
      protocol: PROTOCOL_VERSION,
      broker: { name: 'tq-broker', version, epoch },
      session,
      principal,
      heartbeatMs,
      workerDeadMs,
      wallMs: this.#parts.wallMs(),
      limits: {
        frameBytesMax,
        payloadBytesMax: limits.PAYLOAD_BYTES_MAX,
        resultBytesMax: limits.RESULT_BYTES_MAX,
        itemsMax: limits.ITEMS_PER_REQUEST_MAX,
        inFlightMax,
      },
    }
  }
}
