// A connection of one peer over a network that delays, cuts and reconnects. Frames keep their order.

import {
  decodeServerMessage,
  FRAME_HEADER_BYTES,
  type Request,
  type ServerMessage,
  type TqError,
} from '@tq/core'
import type { Conversation, Sink } from '../../src/pipeline/conversation.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import type { Answers } from './answers.ts'
import type { Arrivals, Asked } from './arrivals.ts'
import type { BrokerProcess } from './broker-process.ts'
import type { ProcessScheduler } from './process-scheduler.ts'
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
  readonly answers: Answers
  readonly arrivals: Arrivals
  readonly broker: BrokerProcess
  readonly swarm: Swarm
  readonly random: SeededRandom
  /** A request leaves over this link. */
  readonly onSend: (link: Link) => void
}

export interface LinkOptions {
  readonly name: string
  readonly session: Uint8Array
  readonly onUp: () => void
  readonly onPush?: (channel: string, data: unknown) => void
}

const PRINCIPAL = 'somebody'

export class Link {
  readonly #parts: LinkParts
  readonly #options: LinkOptions
  readonly #outstanding = new Map<number, (answer: Answer) => void>()
  #wire: Wire | undefined
  #nextId = 1
  #isOver = false

  constructor(parts: LinkParts, options: LinkOptions) {
    this.#parts = parts
    this.#options = options
  }

  get isUp(): boolean {
    return this.#wire !== undefined
  }

  get outstandingCount(): number {
    return this.#outstanding.size
  }

  /** Connects, and again whenever the connection is lost. */
  start(): void {
    this.#reconnectLater()
  }

  /** The peer is gone for good. */
  end(): void {
    this.#isOver = true
    this.break()
  }

  /** Sends a request over a link that is up. `done` hears what became of it, once. */
  send(request: Request, done: (answer: Answer) => void): number {
    const id = this.#nextId
    this.#nextId += 1
    this.#outstanding.set(id, done)
    this.#wire?.carry(id, request)
    this.#parts.onSend(this)
    return id
  }

  /** Cuts the connection: answers on their way are lost, and so may be requests. */
  break(): void {
    const wire = this.#wire
    if (wire === undefined) return
    this.#wire = undefined
    wire.cut()
    this.#lose()
  }

  /** The broker died: its side of the connection is no more. */
  brokerDied(): void {
    if (this.#wire === undefined) return
    this.#wire = undefined
    this.#lose()
  }

  #lose(): void {
    const waiting = [...this.#outstanding.values()]
    this.#outstanding.clear()
    for (const done of waiting) done({ kind: 'lost' })
    this.#reconnectLater()
  }

  #reconnectLater(): void {
    if (this.#isOver) return
    const { world, random } = this.#parts
    world.after(random.magnitude(0.5, 100), () => this.#connect())
  }

  #connect(): void {
    if (this.#isOver || this.#wire !== undefined) return
    const { broker, trace } = this.#parts
    const { listening } = broker
    if (listening === undefined) {
      this.#reconnectLater()
      return
    }
    const wire = new Wire(this.#parts, listening.pipeline, {
      session: this.#options.session,
      onMessage: (message) => {
        if (this.#wire === wire) this.#hear(message)
      },
    })
    this.#wire = wire
    trace.note(this.#options.name, 'is connected')
    this.#options.onUp()
  }

  #hear(message: ServerMessage): void {
    if (message.kind === 'push') {
      this.#options.onPush?.(message.channel, message.data)
      return
    }
    const done = this.#outstanding.get(message.id)
    const isAwaited = done !== undefined
    this.#parts.trace.law(
      isAwaited,
      `an answer comes once, and only to what was asked (${message.id})`,
    )
    this.#outstanding.delete(message.id)
    if (message.kind === 'reply') done?.({ kind: 'reply', result: message.result })
    else done?.({ kind: 'refusal', error: message.error })
  }
}

interface Arrived {
  readonly id: number
  readonly request: Request
}

/** One connection, from its making to its end; the broker's end of it is a {@link Sink}. */
class Wire implements Sink {
  readonly isFull = false
  readonly #parts: LinkParts
  readonly #scheduler: ProcessScheduler
  readonly #pipeline: Pipeline
  readonly #conversation: Conversation
  readonly #session: string
  readonly #onMessage: (message: ServerMessage) => void
  readonly #asked = new Map<number, Asked>()
  #held: Arrived[] = []
  #isReading = true
  #isCut = false
  /** What was on its way when the connection was cut comes so much later. */
  #lateMs = 0
  #thereAtMs = 0
  #backAtMs = 0

  constructor(
    parts: LinkParts,
    pipeline: Pipeline,
    options: {
      readonly session: Uint8Array
      readonly onMessage: (message: ServerMessage) => void
    },
  ) {
    this.#parts = parts
    this.#pipeline = pipeline
    this.#scheduler = parts.broker.scheduler
    this.#onMessage = options.onMessage
    const { session } = options
    this.#conversation = pipeline.open(this, { principal: PRINCIPAL, session })
    this.#session = this.#conversation.sessionKey
  }

  /** Carries a request to the broker. */
  carry(id: number, request: Request): void {
    const { world, swarm } = this.#parts
    this.#thereAtMs = this.#moment(this.#thereAtMs)
    this.#scheduler.after(this.#thereAtMs - world.nowMs, () => {
      if (!this.#isCut) this.#arrive({ id, request })
      else if (swarm.faults.lateFrames) {
        this.#scheduler.after(this.#lateMs, () => this.#arrive({ id, request }))
      }
    })
  }

  /** The network is gone; the broker notices some time later, after what is still on its way. */
  cut(): void {
    this.#isCut = true
    const { random, swarm } = this.#parts
    if (random.happens(0.5)) this.#lateMs = random.chance() * swarm.network.delayMsMax
    const noticeMs = this.#lateMs + random.chance() * swarm.network.noticeMsMax
    this.#scheduler.after(noticeMs, () => this.#close())
  }

  #close(): void {
    for (const { request } of this.#asked.values()) {
      if (request.verb === 'claim') this.#parts.arrivals.unparked(this.#session, request.claim)
    }
    this.#pipeline.close(this.#conversation)
  }

  send(frame: Uint8Array): void {
    const { world, trace, answers } = this.#parts
    const message = decodeServerMessage(Uint8Array.from(frame.subarray(FRAME_HEADER_BYTES)))
    if (message.kind === 'push') answers.pushed(message.channel, message.data)
    else this.#check(message)
    if (this.#isCut) return
    const what = message.kind === 'push' ? message.channel : `${message.id}`
    trace.note('broker', `sends ${message.kind} ${what}`)
    this.#backAtMs = this.#moment(this.#backAtMs)
    world.after(this.#backAtMs - world.nowMs, () => this.#onMessage(message))
  }

  setReading(isReading: boolean): void {
    if (!isReading) this.#parts.trace.reach('requests waited for room in a commit')
    this.#isReading = isReading
    const held = this.#held
    this.#held = []
    for (const one of held) this.#take(one)
  }

  #arrive(arrived: Arrived): void {
    if (!this.#conversation.isOpen) return
    const { world, arrivals, trace } = this.#parts
    const { id, request } = arrived
    trace.note(this.#session.slice(-6), `asks ${request.verb} ${id}`)
    this.#asked.set(id, arrivals.received(this.#session, request, world))
    this.#take(arrived)
  }

  #take(arrived: Arrived): void {
    if (this.#isReading) this.#pipeline.receive(this.#conversation, arrived.id, arrived.request)
    else this.#held.push(arrived)
  }

  #check(message: Extract<ServerMessage, { kind: 'reply' | 'refusal' }>): void {
    const { trace, answers } = this.#parts
    const asked = this.#asked.get(message.id)
    this.#asked.delete(message.id)
    if (asked === undefined)
      trace.violate(`request ${message.id} is answered once, and only if asked`)
    else answers.sent(asked, message)
  }

  /** When a frame arrives that leaves now: after those before it. */
  #moment(lastMs: number): number {
    const { world, random, swarm } = this.#parts
    const { latencyMsMax, delayChance, delayMsMax } = swarm.network
    const delayMs = random.happens(delayChance) ? random.chance() * delayMsMax : 0
    return Math.max(lastMs, world.nowMs + delayMs + random.chance() * latencyMsMax)
  }
}
