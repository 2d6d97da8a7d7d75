// How many connections one address may have, and how fast they may come. Loopback is exempt.

import { isIPv6 } from 'node:net'
import { isLoopback } from '../access/loopback.ts'

export interface PerAddressLimits {
  readonly connectionsMax: number
  /** Connections that have not said hello. */
  readonly unauthenticatedMax: number
  /** New connections a second. */
  readonly connectRateMax: number
}

interface Counts {
  open: number
  ungreeted: number
  /** Connections in the second that began at `secondStartMs`. */
  recent: number
  secondStartMs: number
}

const SECOND_MS = 1_000

export class AddressLimits {
  readonly #limits: PerAddressLimits
  readonly #byGroup = new Map<string, Counts>()

  constructor(limits: PerAddressLimits) {
    this.#limits = limits
  }

  /** Addresses that are remembered; only for those who check that they are forgotten. */
  get size(): number {
    return this.#byGroup.size
  }

  /** Counts a new connection; tells why it must not be taken, if so. */
  admit(address: string, nowMs: number): string | undefined {
    if (isLoopback(address)) return undefined
    const { connectionsMax, unauthenticatedMax, connectRateMax } = this.#limits
    const counts = this.#countsOf(addressGroup(address), nowMs)
    counts.recent += 1
    if (counts.recent > connectRateMax) {
      return `more than ${connectRateMax} new connections in a second from one address`
    }
    if (counts.open >= connectionsMax) return `more than ${connectionsMax} from one address`
    if (counts.ungreeted >= unauthenticatedMax) {
      return `more than ${unauthenticatedMax} without a hello from one address`
    }
    counts.open += 1
    counts.ungreeted += 1
    return undefined
  }

  greeted(address: string): void {
    const counts = this.#byGroup.get(addressGroup(address))
    if (counts !== undefined) counts.ungreeted -= 1
  }

  closed(address: string, wasGreeted: boolean): void {
    const counts = this.#byGroup.get(addressGroup(address))
    if (counts === undefined) return
    counts.open -= 1
    if (!wasGreeted) counts.ungreeted -= 1
  }

  /**
   * Forgets who has gone. Not before their second is over: who connects and leaves at once would
   * have no rate otherwise.
   */
  sweep(nowMs: number): void {
    for (const [group, { open, secondStartMs }] of this.#byGroup) {
      if (open === 0 && nowMs - secondStartMs >= SECOND_MS) this.#byGroup.delete(group)
    }
  }

  #countsOf(group: string, nowMs: number): Counts {
    let counts = this.#byGroup.get(group)
    if (counts === undefined) {
      counts = { open: 0, ungreeted: 0, recent: 0, secondStartMs: nowMs }
      this.#byGroup.set(group, counts)
    } else if (nowMs - counts.secondStartMs >= SECOND_MS) {
      counts.recent = 0
      counts.secondStartMs = nowMs
    }
    return counts
  }
}

/** What counts as one address: of IPv6 the first 64 bits, since a host has the other 64 to itself. */
export function addressGroup(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  if (!isIPv6(plain)) return plain
  const [head = '', tail = ''] = plain.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  const zeros = Math.max(0, 8 - first.length - last.length)
  const words = [...first, ...Array<string>(zeros).fill('0'), ...last]
  return `${words.slice(0, 4).join(':')}::/64`
}
