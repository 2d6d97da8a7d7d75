// Keeps a client connected: which address is next, how long to wait, when to give up.

import { type ServerMessage, type Timer, TqError } from '@tq/core'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { backoffMs } from './backoff.ts'
import type { ClientSettings } from './client-options.ts'
import { Connection, type HelloReply } from './connection.ts'

export interface RedialEvents {
  ready(connection: Connection, hello: HelloReply): void
  message(message: ServerMessage): void
  drained(): void
  /** A connection that was ready is gone, or a dial failed. A next one is on its way. */
  lost(error: TqError): void
  /** No further dial happens until `start` is called again. */
  gaveUp(error: TqError): void
}

/** A connection that lived so long has shown that its broker works: failures count anew. */
const PROVEN_MS = 1_000

export class Redial {
  readonly #settings: ClientSettings
  readonly #session: Uint8Array
  readonly #events: RedialEvents
  #addresses: readonly Address[]
  #addressIndex = 0
  #failures = 0
  #triesInRound = 0
  #connection: Connection | undefined
  #readyAtMs: number | undefined
  #timer: Timer | undefined
  #isStopped = false

  constructor(settings: ClientSettings, session: Uint8Array, events: RedialEvents) {
    this.#settings = settings
    this.#session = session
    this.#events = events
    this.#addresses = settings.addresses
  }

  /** Begins to dial, unless connected or about to be. */
  start(): void {
    if (this.#isStopped || this.#connection !== undefined || this.#timer !== undefined) return
    this.#waitThenDial(this.#failures === 0 ? 0 : this.#backoffMs())
  }

  /** Leaves the current broker for the one that is named. False: that is not an address. */
  goTo(owner: unknown): boolean {
    if (!this.#prefer(owner)) return false
    this.#connection?.destroy()
    this.#forgetConnection()
    this.#events.lost(new TqError('UNAVAILABLE', `another broker owns this: ${String(owner)}`))
    this.#waitThenDial(0)
    return true
  }

  /** Closes gracefully; nothing is called any more. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#connection?.end()
    this.#forgetConnection()
  }

  #waitThenDial(delayMs: number): void {
    if (this.#isStopped || this.#timer !== undefined) return
    this.#timer = this.#settings.scheduler.after(delayMs, () => {
      this.#timer = undefined
      this.#dial()
    })
  }

  #dial(): void {
    const address = this.#addresses[this.#addressIndex % this.#addresses.length]
    if (address === undefined) return
    const connection = new Connection(
      this.#settings,
      { address, session: this.#session },
      {
        ready: (hello) => this.#beReady(connection, hello),
        message: this.#events.message,
        drained: this.#events.drained,
        lost: (error) => this.#lose(address, error),
      },
    )
    this.#connection = connection
  }

  #beReady(connection: Connection, hello: HelloReply): void {
    this.#readyAtMs = this.#settings.clock.monotonicMs()
    this.#triesInRound = 0
    const address = formatAddress(connection.address)
    this.#settings.onEvent({ kind: 'connected', address, broker: hello.broker })
    this.#events.ready(connection, hello)
  }

  #lose(address: Address, error: TqError): void {
    const wasReady = this.#readyAtMs !== undefined
    if (this.#hasProven()) this.#failures = 0
    this.#forgetConnection()
    const isFinal = !wasReady && !error.retryable
    this.#settings.onEvent({
      kind: isFinal ? 'refused' : 'disconnected',
      address: formatAddress(address),
      error,
    })
    this.#addressIndex = (this.#addressIndex + 1) % this.#addresses.length
    this.#events.lost(error)
    this.#dialNext(error, wasReady, isFinal)
  }

  #dialNext(error: TqError, wasReady: boolean, isFinal: boolean): void {
    if (error.code === 'NOT_OWNER') this.#prefer(error.details['address'])
    this.#triesInRound += wasReady ? 0 : 1
    const isRoundOver = wasReady || this.#triesInRound >= this.#addresses.length
    if (!isRoundOver) return this.#waitThenDial(0)
    this.#triesInRound = 0
    this.#failures += 1
    // After a refusal such as UNAUTHENTICATED only a new request makes a client try again.
    const { keepsDialing, outlivesRefusal } = this.#settings
    if (isFinal ? !outlivesRefusal : !keepsDialing && !wasReady) return this.#events.gaveUp(error)
    this.#waitThenDial(Math.max(error.retryAfterMs ?? 0, this.#backoffMs()))
  }

  /** Puts a broker that another one named before those of the settings. */
  #prefer(owner: unknown): boolean {
    const target = typeof owner === 'string' ? addressOf(owner) : undefined
    if (target === undefined) return false
    const isOther = (each: Address): boolean => formatAddress(each) !== formatAddress(target)
    this.#addresses = [target, ...this.#settings.addresses.filter(isOther)]
    this.#addressIndex = 0
    return true
  }

  #backoffMs(): number {
    const { reconnect, random } = this.#settings
    return backoffMs(reconnect, Math.max(1, this.#failures), random.chance())
  }

  #hasProven(): boolean {
    if (this.#readyAtMs === undefined) return false
    return this.#settings.clock.monotonicMs() - this.#readyAtMs >= PROVEN_MS
  }

  #forgetConnection(): void {
    this.#connection = undefined
    this.#readyAtMs = undefined
  }
}

function addressOf(text: string): Address | undefined {
  try {
    return parseAddress(text)
  } catch {
    return undefined // a broker that names nonsense is answered like one that names nobody
  }
}
