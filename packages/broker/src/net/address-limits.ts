// How many connections one address may have, and how fast they may come. Loopback is exempt.

export interface PerAddressLimits {
  readonly connectionsMax: number
  readonly unauthenticatedMax: number
  /** New connections a second. */
  readonly connectRateMax: number
}

interface Counts {
  open: number
  ungreeted: number
  /** Connections in the current second. */
  recent: number
  secondStartMs: number
}

export class AddressLimits {
  readonly #limits: PerAddressLimits
  readonly #byAddress = new Map<string, Counts>()

  constructor(perAddress: PerAddressLimits) {
    this.#limits = perAddress
  }

  /** Counts a new connection; tells why it must not be taken, if so. */
  admit(address: string, nowMs: number): string | undefined {
    if (isLoopback(address)) return undefined
    const counts = this.#countsOf(address, nowMs)
    if (nowMs - counts.secondStartMs >= 1_000) {
      counts.secondStartMs = nowMs
      counts.recent = 0
    }
    counts.recent += 1
    if (counts.recent > this.#limits.connectRateMax) return 'too many new connections a second'
    if (counts.open >= this.#limits.connectionsMax) return 'too many connections from one address'
    if (counts.ungreeted >= this.#limits.unauthenticatedMax) {
      return 'too many connections from one address that have not said hello'
    }
    counts.open += 1
    counts.ungreeted += 1
    return undefined
  }

  greeted(address: string): void {
    const counts = this.#byAddress.get(address)
    if (counts !== undefined) counts.ungreeted -= 1
  }

  closed(address: string, wasGreeted: boolean): void {
    const counts = this.#byAddress.get(address)
    if (counts === undefined) return
    counts.open -= 1
    if (!wasGreeted) counts.ungreeted -= 1
    if (counts.open === 0) this.#byAddress.delete(address)
  }

  #countsOf(address: string, nowMs: number): Counts {
    const known = this.#byAddress.get(address)
    if (known !== undefined) return known
    const counts: Counts = { open: 0, ungreeted: 0, recent: 0, secondStartMs: nowMs }
    this.#byAddress.set(address, counts)
    return counts
  }
}

export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain === '::1' || plain === 'localhost' || /^127\./.test(plain)
}
