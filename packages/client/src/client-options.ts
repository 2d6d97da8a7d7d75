// What a client may be told, each with its default, unit and reason.

import {
  type Clock,
  type Random,
  type Scheduler,
  systemClock,
  systemRandom,
  systemScheduler,
  TqError,
} from '@tq/core'
import { type Address, DEFAULT_PORT, parseAddress } from './address.ts'
import type { Backoff } from './backoff.ts'
import type { ClientEvent } from './client-event.ts'
import { type Dial, dialTcp } from './wire.ts'

export interface ClientOptions {
  /** Brokers, tried in turn; `host:port`, port 7461 if left out. Default `127.0.0.1:7461`. */
  readonly addresses?: readonly string[]
  /** Short for one of `addresses`. */
  readonly address?: string
  /** Secret that names the principal; needed unless the broker takes anybody on loopback. */
  readonly token?: string
  /** How this program calls itself in the broker's log. Default `tq-client`. */
  readonly name?: string
  /** Longest time for the connection and the greeting, in ms. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** Longest time for a request, in ms; claims and waits add the time they ask for. Default 30,000. */
  readonly requestTimeoutMs?: number
  /**
   * Wait between rounds over the addresses: exponential with full jitter. Default base 50 ms, cap
   * 5,000 ms. `false`: requests fail with UNAVAILABLE as soon as one round found no broker.
   */
  readonly reconnect?: Partial<Backoff> | false
  /** Repeat requests refused with RESOURCE_EXHAUSTED or UNAVAILABLE until their timeout. Default true. */
  readonly retryRefusals?: boolean
  /** Ask the broker for a sign of life at least so often, in ms. Default: its heartbeat interval. */
  readonly keepaliveMs?: number
  /**
   * Most requests on the way at a time, 16 or more, for claims and waits take places as long as they
   * last; the broker's own limit holds too. Default 256.
   */
  readonly inFlightMax?: number
  /** Most requests waiting to be sent; beyond it RESOURCE_EXHAUSTED. Default 10,000. */
  readonly bufferedRequestsMax?: number
  /** Most bytes of payloads and results waiting to be sent. Default 64 MiB. */
  readonly bufferedBytesMax?: number
  /** Told what happens to the connection; for logs. */
  readonly onEvent?: (event: ClientEvent) => void
  /** Time, chance and network, for simulations. */
  readonly clock?: Clock
  readonly scheduler?: Scheduler
  readonly random?: Random
  readonly dial?: Dial
}

/** {@link ClientOptions} with nothing left out. */
export interface ClientSettings {
  readonly addresses: readonly Address[]
  readonly token: string | undefined
  readonly name: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly reconnect: Backoff
  /** False: requests fail when a round over the addresses found no broker. */
  readonly keepsDialing: boolean
  /** False: requests fail when a broker refused the greeting, as it does with a wrong token. */
  readonly outlivesRefusal: boolean
  readonly retryRefusals: boolean
  readonly keepaliveMs: number
  readonly inFlightMax: number
  readonly bufferedRequestsMax: number
  readonly bufferedBytesMax: number
  readonly onEvent: (event: ClientEvent) => void
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly dial: Dial
}

/** Fills in the defaults. Throws BAD_REQUEST naming the option that is wrong. */
export function clientSettings(options: ClientOptions): ClientSettings {
  return {
    addresses: addressesOf(options),
    token: options.token,
    name: options.name ?? 'tq-client',
    connectTimeoutMs: wholeOption('connectTimeoutMs', options.connectTimeoutMs, 5_000),
    requestTimeoutMs: wholeOption('requestTimeoutMs', options.requestTimeoutMs, 30_000),
    reconnect: backoffOf(options),
    keepsDialing: options.reconnect !== false,
    outlivesRefusal: false,
    retryRefusals: options.retryRefusals ?? true,
    keepaliveMs: wholeOption('keepaliveMs', options.keepaliveMs, Number.MAX_SAFE_INTEGER),
    inFlightMax: wholeOption('inFlightMax', options.inFlightMax, 256, 16),
    bufferedRequestsMax: wholeOption('bufferedRequestsMax', options.bufferedRequestsMax, 10_000),
    bufferedBytesMax: wholeOption('bufferedBytesMax', options.bufferedBytesMax, 64 * 1024 * 1024),
    onEvent: options.onEvent ?? (() => {}),
    clock: options.clock ?? systemClock,
    scheduler: options.scheduler ?? systemScheduler,
    random: options.random ?? systemRandom,
    dial: options.dial ?? dialTcp,
  }
}

/** `value`, or the default; throws BAD_REQUEST unless it is a whole number of `min` or more. */
export function wholeOption(
  name: string,
  value: number | undefined,
  standard: number,
  min = 1,
): number {
  if (value === undefined) return standard
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new TqError(
    'BAD_REQUEST',
    `${name} is ${value}; it must be a whole number, ${min} or more`,
    {
      field: name,
    },
  )
}

function addressesOf(options: ClientOptions): readonly Address[] {
  const texts = [...(options.address === undefined ? [] : [options.address])]
  texts.push(...(options.addresses ?? []))
  if (options.addresses !== undefined && texts.length === 0) {
    throw new TqError('BAD_REQUEST', 'addresses is empty; name at least one broker', {
      field: 'addresses',
    })
  }
  return texts.length === 0
    ? [{ host: '127.0.0.1', port: DEFAULT_PORT }]
    : texts.map((text) => parseAddress(text))
}

function backoffOf(options: ClientOptions): Backoff {
  const given = options.reconnect === false ? {} : (options.reconnect ?? {})
  return {
    baseMs: wholeOption('reconnect.baseMs', given.baseMs, 50),
    capMs: wholeOption('reconnect.capMs', given.capMs, 5_000),
  }
}
