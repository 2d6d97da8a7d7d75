// Which addresses only this machine reaches.

import { isIPv4 } from 'node:net'

/** True for the loopback addresses of IPv4 and IPv6, and for the name localhost. */
export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  // A name such as 127.example.org is no address, whatever it begins with.
  return plain === '::1' || plain === 'localhost' || (isIPv4(plain) && plain.startsWith('127.'))
}
