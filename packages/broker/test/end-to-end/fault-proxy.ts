// A TCP proxy in front of a broker that does to connections what networks do.

import type { Socket } from 'node:net'
import { ProxyListener } from '../proxy-listener.ts'
import type { RigAddress } from '../rig-broker.ts'

/** Both are seen from the client: what it sends goes up, what it hears comes down. */
export type Way = 'up' | 'down'

export interface Faults {
  /** Keeps the bytes of both ways for so long. */
  readonly delayMs?: number
  /** Passes every byte on by itself. */
  readonly singleBytes?: boolean
  /** Takes the bytes of this way and passes none on, without a sign to anybody. */
  readonly blackhole?: Way
}

export class FaultProxy {
  readonly #listener: ProxyListener
  readonly #links = new Set<ProxyLink>()
  /** What happens to all connections from now on. */
  faults: Faults = {}

  /** @param target Asked for each connection: a broker that was started again has moved. */
  static async start(target: () => RigAddress): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await proxy.#listener.listen()
    return proxy
  }

  private constructor(target: () => RigAddress) {
    const onJoin = (client: Socket, broker: Socket): void => this.#join(client, broker)
    this.#listener = new ProxyListener({ target, onJoin })
  }

  get address(): RigAddress {
    return this.#listener.address
  }

  /** The newest connection. */
  get last(): ProxyLink {
    const link = [...this.#links].at(-1)
    if (link === undefined) throw new Error('nobody has connected')
    return link
  }

  dropAll(): void {
    for (const link of this.#links) link.drop()
  }

  stop(): void {
    this.#listener.close()
    this.dropAll()
  }

  #join(client: Socket, broker: Socket): void {
    const link = new ProxyLink(client, broker, () => this.faults)
    this.#links.add(link)
    client.on('close', () => this.#links.delete(link))
  }
}

/** One connection through the proxy. */
export class ProxyLink {
  readonly #client: Socket
  readonly #broker: Socket
  readonly #faults: () => Faults
  /** Until when the newest bytes are kept. */
  readonly #dueMs = { up: 0, down: 0 }
  /** Bytes that may still pass before the connection is dropped. */
  readonly #left = { up: Infinity, down: Infinity }

  constructor(client: Socket, broker: Socket, faults: () => Faults) {
    this.#client = client
    this.#broker = broker
    this.#faults = faults
    client.on('data', (chunk) => this.#pass('up', chunk))
    broker.on('data', (chunk) => this.#pass('down', chunk))
    for (const socket of [client, broker]) {
      socket.on('error', () => this.drop())
      socket.on('close', () => this.drop())
    }
  }

  /** Lets so many more bytes pass this way, and then drops the connection. */
  dropAfter(way: Way, bytes: number): void {
    this.#left[way] = bytes
    if (bytes === 0 && way === 'up') this.drop()
  }

  /** Breaks it on both sides at once. */
  drop(): void {
    this.#client.destroy()
    this.#broker.destroy()
  }

  #pass(way: Way, chunk: Buffer): void {
    const { delayMs = 0, blackhole } = this.#faults()
    if (blackhole === way) return
    // Nothing overtakes what is still being kept, though the delay is over.
    const nowMs = performance.now()
    const dueMs = Math.max(this.#dueMs[way], nowMs + delayMs)
    this.#dueMs[way] = dueMs
    if (dueMs <= nowMs) this.#forward(way, chunk)
    else setTimeout(() => this.#forward(way, chunk), dueMs - nowMs)
  }

  #forward(way: Way, chunk: Buffer): void {
    const to = way === 'up' ? this.#broker : this.#client
    const part = chunk.subarray(0, this.#left[way])
    const isLast = part.length < chunk.length || part.length === this.#left[way]
    this.#left[way] -= part.length
    if (to.destroyed) return
    if (this.#faults().singleBytes === true) for (const byte of part) to.write(Uint8Array.of(byte))
    else to.write(part)
    if (!isLast) return
    // What was let through shall arrive: the far side is ended, the near one breaks.
    to.end(() => this.drop())
    const from = way === 'up' ? this.#client : this.#broker
    from.destroy()
  }
}
