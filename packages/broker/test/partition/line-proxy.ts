// A line between clients and a broker that can be cut as networks are cut: nobody is told, and what was
// under way either arrives when the line is whole again, or never.

import type { Socket } from 'node:net'
import { ProxyListener } from '../proxy-listener.ts'
import type { RigAddress } from '../rig-broker.ts'

/** Both are seen from the client: what it sends goes up, what it hears comes down. */
export type Way = 'up' | 'down'

/**
 * `held`: bytes and closes wait until the way is open again, as packets do that are sent again and
 * again. `lost`: they are gone, and the connection breaks when the line is whole again.
 */
export type Condition = 'open' | 'held' | 'lost'

export interface LineState {
  readonly up: Condition
  readonly down: Condition
  /** Every byte by itself. */
  readonly singleBytes?: boolean
  /** What comes within so long is passed on in one piece. */
  readonly gatherMs?: number
}

export const WHOLE: LineState = { up: 'open', down: 'open' }

export class LineProxy {
  readonly #listener: ProxyListener
  readonly #lines = new Set<Line>()
  #state: LineState = WHOLE

  /** @param target Asked for each connection: a broker that was started again has moved. */
  static async start(target: () => RigAddress): Promise<LineProxy> {
    const proxy = new LineProxy(target)
    await proxy.#listener.listen()
    return proxy
  }

  private constructor(target: () => RigAddress) {
    const onJoin = (client: Socket, broker: Socket): void => this.#join(client, broker)
    this.#listener = new ProxyListener({ target, onJoin, allowHalfOpen: true })
  }

  get address(): RigAddress {
    return this.#listener.address
  }

  get state(): LineState {
    return this.#state
  }

  /** Connections that at least one side has not given up. */
  get lineCount(): number {
    return this.#lines.size
  }

  /** From now on all lines, those to come too, are in this state. */
  become(state: LineState): void {
    this.#state = state
    for (const line of this.#lines) line.settle()
  }

  /** Every connection is reset on both sides. */
  reset(): void {
    for (const line of this.#lines) line.reset()
  }

  /** One side of every connection says that it sends no more, and has not said so. */
  halfClose(way: Way): void {
    for (const line of this.#lines) line.halfClose(way)
  }

  stop(): void {
    this.#listener.close()
    this.reset()
  }

  #join(client: Socket, broker: Socket): void {
    const line = new Line(client, broker, () => this.#state)
    this.#lines.add(line)
    let closedCount = 0
    for (const socket of [client, broker]) {
      socket.on('close', () => {
        closedCount += 1
        if (closedCount === 2) this.#lines.delete(line)
      })
    }
  }
}

/** One connection through the proxy. */
class Line {
  readonly #client: Socket
  readonly #broker: Socket
  readonly #lanes: readonly [Lane, Lane]

  constructor(client: Socket, broker: Socket, state: () => LineState) {
    this.#client = client
    this.#broker = broker
    this.#lanes = [
      new Lane({ from: client, to: broker, way: 'up', state }),
      new Lane({ from: broker, to: client, way: 'down', state }),
    ]
  }

  settle(): void {
    if (this.#lanes.some((lane) => lane.isBroken)) this.reset()
    else for (const lane of this.#lanes) lane.settle()
  }

  reset(): void {
    this.#client.resetAndDestroy()
    this.#broker.resetAndDestroy()
  }

  halfClose(way: Way): void {
    const to = way === 'up' ? this.#broker : this.#client
    to.end()
  }
}

interface LaneParts {
  readonly from: Socket
  readonly to: Socket
  readonly way: Way
  readonly state: () => LineState
}

/** What one side says to the other. */
class Lane {
  readonly #parts: LaneParts
  /** Bytes, and how the speaker ended. */
  #waiting: (Buffer | 'end' | 'reset')[] = []
  #isGathering = false
  #hasLost = false

  constructor(parts: LaneParts) {
    this.#parts = parts
    const { from } = parts
    from.on('data', (chunk) => this.#take(chunk))
    from.on('end', () => this.#take('end'))
    from.on('error', () => undefined)
    from.on('close', (hadError) => this.#take(hadError ? 'reset' : 'end'))
  }

  /** Something of it was lost for ever, and the way is open: it cannot be mended. */
  get isBroken(): boolean {
    return this.#hasLost && this.#condition === 'open'
  }

  settle(): void {
    if (this.#condition !== 'open') return
    const { gatherMs } = this.#parts.state()
    if (gatherMs === undefined) {
      this.#flush()
    } else if (!this.#isGathering) {
      this.#isGathering = true
      setTimeout(() => {
        this.#isGathering = false
        if (this.#condition === 'open') this.#flush()
      }, gatherMs)
    }
  }

  get #condition(): Condition {
    return this.#parts.state()[this.#parts.way]
  }

  #take(what: Buffer | 'end' | 'reset'): void {
    if (this.#condition === 'lost') {
      this.#hasLost = true
      return
    }
    this.#waiting.push(what)
    this.settle()
  }

  #flush(): void {
    const { to } = this.#parts
    const { singleBytes = false } = this.#parts.state()
    const waiting = this.#waiting
    this.#waiting = []
    const bytes = Buffer.concat(waiting.filter((one) => Buffer.isBuffer(one)))
    if (!to.destroyed && to.writable) {
      if (singleBytes) for (const byte of bytes) to.write(Uint8Array.of(byte))
      else if (bytes.length > 0) to.write(bytes)
    }
    if (waiting.includes('reset')) to.resetAndDestroy()
    else if (waiting.includes('end')) to.end()
  }
}
