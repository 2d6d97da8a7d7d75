// From the options of a run to a client of the broker, and from its failures to advice.

import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type ClientEvent, type ClientOptions, DEFAULT_PORT, TqClient, TqError } from '@tq/client'
import { limits, systemClock } from '@tq/core'
import { type Run, splitAddresses } from './run.ts'
import { UsageError } from './usage-error.ts'

const DEFAULT_ADDRESS = `127.0.0.1:${DEFAULT_PORT}`
/** Longest time for an answer if the person named none, in ms. */
const REQUEST_TIMEOUT_MS = 30_000
/** Longest time to connect to one address, in ms. */
const CONNECT_TIMEOUT_MS = 5_000
/** How long a broker that does not answer yet is asked again, and after which pause, in ms. */
export const STARTING_MS = 2_000
const TRY_AGAIN_MS = 100

export interface ConnectOptions {
  /** True: once reached, the broker may go away and come back, as when it is restarted. */
  readonly outlastsRestarts?: boolean
  /** How long a broker that does not answer yet is asked again, in ms. */
  readonly patienceMs?: number
}

/** Connects, does `work`, and closes, whatever comes of it. */
export async function withClient(
  run: Run,
  work: (client: TqClient) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  const addresses = addressesOf(run)
  const settings = await clientOptions(run, addresses)
  try {
    const client = await reach(run, settings, options)
    if (options.outlastsRestarts !== true) return await closing(client, work)
    await client.close({ deadlineMs: 0 })
    await closing(new TqClient({ ...settings, onEvent: connectionNotes(run) }), work)
  } catch (error) {
    throw withAdvice(error, addresses)
  }
}

/** The options of a request: it ends when the person presses Ctrl-C. */
export function call(run: Run): { readonly signal: AbortSignal } {
  return { signal: run.terminal.interrupted }
}

/**
 * A client that is connected, and gives up as soon as no broker answers: a wrong address must not
 * look like a slow broker. But one that was started a moment ago may not listen yet.
 */
async function reach(
  run: Run,
  settings: ClientOptions,
  { patienceMs = STARTING_MS }: ConnectOptions,
): Promise<TqClient> {
  const { requestTimeoutMs = patienceMs } = settings
  const untilMs = systemClock.monotonicMs() + Math.min(patienceMs, requestTimeoutMs)
  const { signal } = call(run)
  for (;;) {
    const client = new TqClient({ ...settings, reconnect: false })
    try {
      await client.ping(call(run))
      return client
    } catch (error) {
      await client.close({ deadlineMs: 0 })
      if (!mayComeYet(error) || systemClock.monotonicMs() >= untilMs) throw error
      await delay(TRY_AGAIN_MS, undefined, { signal })
    }
  }
}

/** Whoever answers there and is no broker will not become one. */
function mayComeYet(error: unknown): boolean {
  if (!(error instanceof TqError)) return false
  return error.code === 'UNAVAILABLE' && error.details['field'] !== 'address'
}

async function closing(client: TqClient, work: (client: TqClient) => Promise<void>): Promise<void> {
  try {
    await work(client)
  } finally {
    await client.close({ deadlineMs: 0 })
  }
}

async function clientOptions(run: Run, addresses: readonly string[]): Promise<ClientOptions> {
  const { timeout: timeoutMs = REQUEST_TIMEOUT_MS } = run.options()
  const token = await tokenOf(run)
  return {
    addresses,
    name: 'tq-admin',
    requestTimeoutMs: timeoutMs,
    connectTimeoutMs: Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
    ...(token === undefined ? {} : { token }),
  }
}

function addressesOf(run: Run): readonly string[] {
  const given = run.options().address ?? splitAddresses(run.terminal.env['TQ_ADDRESS'] ?? '')
  return given.length === 0 ? [DEFAULT_ADDRESS] : given
}

/** Tokens come from a file or the environment: arguments can be read by everybody on the machine. */
async function tokenOf(run: Run): Promise<string | undefined> {
  const { tokenFile } = run.options()
  if (tokenFile === undefined) return run.terminal.env['TQ_TOKEN'] || undefined
  const text = await readFile(tokenFile, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--token-file cannot be read: ${(error as Error).message}`)
  })
  const token = text.trim()
  if (token === '') {
    throw new UsageError(`--token-file ${tokenFile} is empty; it must hold the access token`)
  }
  if (token.length <= limits.ACCESS_TOKEN_BYTES_MAX) return token
  const length = `${token.length} characters, and a token at most ${limits.ACCESS_TOKEN_BYTES_MAX}`
  throw new UsageError(`--token-file ${tokenFile} has ${length}; is it another file?`)
}

/** Tells a person who waits that the broker is away, and that it is back. Once each. */
function connectionNotes({ terminal }: Run): (event: ClientEvent) => void {
  let isLost = false
  return (event) => {
    if (event.kind === 'disconnected' && !isLost) {
      isLost = true
      terminal.note(`lost the broker at ${event.address}; waiting for it to come back`)
    }
    if (event.kind === 'connected' && isLost) {
      isLost = false
      terminal.note(`connected again, to ${event.address}`)
    }
  }
}

/** The same error, and on a second line what the person may check. */
function withAdvice(error: unknown, addresses: readonly string[]): unknown {
  if (!(error instanceof TqError)) return error
  const advice = adviceOn(error, addresses)
  if (advice === undefined) return error
  return new TqError(error.code, `${error.message}\n${advice}`, error.details, error)
}

function adviceOn(error: TqError, addresses: readonly string[]): string | undefined {
  switch (error.code) {
    case 'UNAVAILABLE':
      return `Tried ${addresses.join(', ')}. Check that tq-broker runs there, and --address or TQ_ADDRESS.`
    case 'UNAUTHENTICATED':
      return 'Give the token of a principal of this broker in --token-file or TQ_TOKEN.'
    default:
      return undefined
  }
}
