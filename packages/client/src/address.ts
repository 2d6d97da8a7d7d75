// Where a broker listens: `host`, `host:port`, `[::1]:port`.

import { TqError } from '@tq/core'

export const DEFAULT_PORT = 7461

export interface Address {
  readonly host: string
  readonly port: number
}

/** Parses one address; the port may be left out. Throws BAD_REQUEST. */
export function parseAddress(text: string): Address {
  const trimmed = text.trim()
  const match = BRACKETED.exec(trimmed) ?? PLAIN.exec(trimmed)
  // A bare IPv6 address has many colons and cannot carry a port.
  const [host, portText] = match === null ? [trimmed, undefined] : [match[1] ?? '', match[2]]
  const port = portText === undefined ? DEFAULT_PORT : Number(portText)
  if (host === '' || /[\s,/]/.test(host) || port < 1 || port > 65_535) throw badAddress(text)
  if (match === null && !BARE_IPV6.test(host)) throw badAddress(text)
  return { host, port }
}

/** The text that {@link parseAddress} takes back. */
export function formatAddress(address: Address): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}

const BRACKETED = /^\[([0-9a-fA-F:.%]+)\](?::(\d{1,5}))?$/
const PLAIN = /^([^:[\]]+)(?::(\d{1,5}))?$/
const BARE_IPV6 = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/

function badAddress(text: string): TqError {
  return new TqError(
    'BAD_REQUEST',
    `"${text}" is not an address; write host:port, such as 127.0.0.1:${DEFAULT_PORT}`,
    { field: 'address' },
  )
}
