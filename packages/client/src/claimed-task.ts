// A task that was claimed: what to do, under which token, read lazily from its bytes.

import { type ClaimedTask as ClaimedWire, decodePayload, type TaskIdBytes } from '@tq/core'
import { taskIdText } from './task-id-text.ts'

export class ClaimedTask {
  /** Fencing token of this lease: only grows over the task's life. */
  readonly token: number
  readonly queue: string
  readonly type: string
  /** 1 + failures + losses before this lease. */
  readonly attempt: number
  readonly payloadBytes: Uint8Array
  readonly idBytes: TaskIdBytes
  readonly #extra: ClaimedWire[6]
  #id: string | undefined

  constructor(wire: ClaimedWire) {
    ;[this.idBytes, this.token, this.queue, this.type, this.attempt, this.payloadBytes] = wire
    this.#extra = wire[6]
  }

  get id(): string {
    return (this.#id ??= taskIdText(this.idBytes))
  }

  /** The decoded payload; each read decodes anew. Throws TqError if it is not MessagePack. */
  get payload(): unknown {
    return decodePayload(this.payloadBytes)
  }

  get priority(): number {
    return this.#extra.priority ?? DEFAULT_PRIORITY
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#extra.headers ?? {}
  }

  get trace(): ClaimedWire[6]['trace'] {
    return this.#extra.trace
  }

  /** Execution timeout of this attempt, in ms. */
  get timeoutMs(): number {
    return this.#extra.timeoutMs
  }

  get failures(): number {
    return this.#extra.failures ?? 0
  }

  get losses(): number {
    return this.#extra.losses ?? 0
  }

  /** Somebody asked to cancel it before this claim was answered. */
  get cancelRequested(): boolean {
    return this.#extra.cancelRequested ?? false
  }
}

const DEFAULT_PRIORITY = 128
