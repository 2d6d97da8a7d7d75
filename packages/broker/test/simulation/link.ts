// A peer's connection by hand: frames over the simulated network, and a new connection after each lost one.

import {
  decodeServerMessage,
  encodeRequestFrame,
  FrameDecoder,
  limits,
  PROTOCOL_VERSION,
  type Request,
  type ServerMessage,
  type TqError,
} from '@tq/core'
import type { Wire } from '@tq/client'
import type { Arrivals } from './arrivals.ts'
import type { Network } from './network.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Swarm } from './swarm.ts'
import type { Trace } from './trace.ts'
import type { World } from './world.ts'

export type Answer =
  | { readonly kind: 'reply'; readonly result: unknown }
  | { readonly kind: 'refusal'; readonly error: TqError }
  /** The connection broke: the request may or may not have taken effect. */
  | { readonly kind: 'lost' }

export interface LinkParts {
  readonly world: World
  readonly trace: Trace
  readonly arrivals: Arrivals
  readonly network: Network
  readonly swarm: Swarm
  readonly random: SeededRandom
}

export interface LinkOptions {
  readonly name: string
  readonly session: Uint8Array
  readonly onUp: () => void
  readonly onPush?: (channel: string, data: unknown) => void
}

interface Waiting {
  readonly sinceMs: number
  readonly done: (answer: Answer) => void
}

/** Beyond this a request has no answer, whatever it waits for, in ms: the longest claim and some. */
const WAIT_MS_MAX = 1_500

export class Link {
  readonly #parts: LinkParts
  readonly #options: LinkOptions
  readonly #outstanding = new Map<number, Waiting>()
  #line: Line | undefined
  #isUp = false
  #nextId = 1
  #isOver = false

  constructor(parts: LinkParts, options: LinkOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** The broker has greeted back. */
  get isUp(): boolean {
    return this.#isUp
  }

  get outstandingCount(): number {
    return this.#outstanding.size
  }

  /** Connects, and again whenever the connection is lost. */
  start(): void {
    this.#reconnectLater()
    this.#watch()
  }

  /** The peer is gone for good. */
  end(): void {
    this.#isOver = true
    this.#line?.wire.destroy()
    this.#lose()
  }

  /** Sends a request. `done` hears what became of it, once. */
  send(request: Request, done: (answer: Answer) => void): number {
    const id = this.#nextId
    this.#nextId += 1
    this.#outstanding.set(id, { sinceMs: this.#parts.world.nowMs, done })
    this.#line?.wire.write([encodeRequestFrame(id, request)])
    return id
  }

  /** Who hears nothing for too long gives the connection up. */
  #watch(): void {
    const { world, swarm, trace } = this.#parts
    world.after(swarm.network.patienceMs / 2, () => {
      if (this.#isOver) return
      const [oldest] = this.#outstanding.values()
      const longestMs = swarm.network.patienceMs + WAIT_MS_MAX
      if (oldest !== undefined && world.nowMs - oldest.sinceMs > longestMs) {
        trace.reach('a peer gave up a silent broker')
        this.#line?.wire.destroy()
        this.#lose()
      }
      this.#watch()
    })
  }

  #lose(): void {
    this.#line = undefined
    this.#isUp = false
    const waiting = [...this.#outstanding.values()]
    this.#outstanding.clear()
    for (const { done } of waiting) done({ kind: 'lost' })
    this.#reconnectLater()
  }

  #reconnectLater(): void {
    if (this.#isOver) return
    const { world, random } = this.#parts
    world.after(random.magnitude(0.5, 100), () => this.#connect())
  }

  #connect(): void {
    if (this.#isOver || this.#line !== undefined) return
    const line: Line = { decoder: new FrameDecoder(limits.FRAME_BYTES_MAX), wire: NO_WIRE }
    this.#line = line
    line.wire = this.#parts.network.dial(this.#parts.world, {
      opened: () => this.#greet(line),
      data: (chunk) => this.#take(line, chunk),
      drained: () => undefined,
      closed: () => {
        if (this.#line === line) this.#lose()
      },
    })
  }

  #greet(line: Line): void {
    if (this.#line !== line) return
    const { name, session } = this.#options
    const client = { name, version: '1' }
    this.send({ verb: 'hello', protocol: PROTOCOL_VERSION, client, session }, (answer) => {
      if (answer.kind === 'lost') return
      this.#parts.trace.law(answer.kind === 'reply', 'everybody here is welcome')
      this.#isUp = true
      this.#parts.trace.note(name, 'is connected')
      this.#options.onUp()
    })
  }

  #take(line: Line, chunk: Uint8Array): void {
    for (const body of line.decoder.push(chunk)) {
      if (this.#line === line) this.#hear(decodeServerMessage(body))
    }
  }

  #hear(message: ServerMessage): void {
    if (message.kind === 'push') {
      this.#options.onPush?.(message.channel, message.data)
      return
    }
    const waiting = this.#outstanding.get(message.id)
    const isAwaited = waiting !== undefined
    this.#parts.trace.law(
      isAwaited,
      `an answer comes once, and only to what was asked (${message.id})`,
    )
    this.#outstanding.delete(message.id)
    if (message.kind === 'refusal') {
      const { code } = message.error
      const isOurs = code === 'BAD_REQUEST'
      this.#parts.trace.law(!isOurs, `nobody sends what is refused as ${message.error.message}`)
    }
    if (message.kind === 'reply') waiting?.done({ kind: 'reply', result: message.result })
    else waiting?.done({ kind: 'refusal', error: message.error })
  }
}

/** A connection, from its making to its end. */
interface Line {
  readonly decoder: FrameDecoder
  wire: Wire
}

const NO_WIRE: Wire = { write: () => true, end: () => undefined, destroy: () => undefined }
