// The broker's side of the network: the real connections on simulated sockets, and an ear at each of them.

import { decodeServerMessage, FRAME_HEADER_BYTES, type Request, type ServerMessage } from '@tq/core'
import { Connection, type ConnectionLimits, type Door } from '../../src/net/connection.ts'
import { Reception } from '../../src/net/reception.ts'
import type { Conversation, Sink } from '../../src/pipeline/conversation.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import type { Answers } from './answers.ts'
import type { Arrivals, Asked } from './arrivals.ts'
import type { Endpoint } from './endpoint.ts'
import type { ProcessScheduler } from './process-scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'
import { SimSocket } from './sim-socket.ts'
import type { Swarm } from './swarm.ts'
import type { Trace } from './trace.ts'
import type { World } from './world.ts'

export interface FrontDeskParts {
  readonly world: World
  readonly trace: Trace
  readonly answers: Answers
  readonly arrivals: Arrivals
  readonly swarm: Swarm
  readonly random: SeededRandom
  readonly scheduler: ProcessScheduler
  readonly pipeline: Pipeline
  readonly epoch: number
  readonly workerDeadMs: number
}

const FRAME_BYTES_MAX = 4 * 1024 * 1024
const SWEEP_MS = 500
/** A look that comes this much too late finds clients that may have kept all their deadlines. */
const STALL_MS = 1_000

export class FrontDesk implements Door {
  readonly #parts: FrontDeskParts
  readonly #limits: ConnectionLimits
  readonly #reception: Reception
  readonly #connections = new Set<Connection>()
  readonly #ears = new Map<Conversation, Ear>()

  constructor(parts: FrontDeskParts) {
    const { world, swarm, random, pipeline, epoch, workerDeadMs } = parts
    const { patienceMs, inFlightMax, outputBytesMax } = swarm.network
    this.#parts = parts
    this.#limits = {
      helloMs: patienceMs,
      frameMs: patienceMs,
      idleMs: patienceMs * 2,
      writeStallMs: patienceMs,
      frameBytesMax: FRAME_BYTES_MAX,
      inFlightMax,
      outputBytesMax,
    }
    this.#reception = new Reception(
      { pipeline, authenticate: () => 'somebody', random, wallMs: () => world.wallMs() },
      {
        version: 'simulated',
        epoch,
        heartbeatMs: swarm.workers.heartbeatMs,
        workerDeadMs,
        frameBytesMax: FRAME_BYTES_MAX,
        inFlightMax,
      },
    )
  }

  start(): void {
    this.#sweepLater()
  }

  accept(endpoint: Endpoint): void {
    const socket = new SimSocket(endpoint)
    const options = { limits: this.#limits, clock: this.#parts.world, address: '127.0.0.1' }
    this.#connections.add(new Connection(socket, this, options))
  }

  greet(connection: Connection, hello: Parameters<Door['greet']>[1]): ReturnType<Door['greet']> {
    const { trace, answers, arrivals } = this.#parts
    trace.asked('hello')
    const ear = new Ear(connection, { trace, answers, arrivals })
    const greeted = this.#reception.greet(ear, hello, true)
    ear.session = greeted.conversation.sessionKey
    this.#ears.set(greeted.conversation, ear)
    return greeted
  }

  receive(conversation: Conversation, id: number, request: Request): void {
    const { world, arrivals, trace, pipeline } = this.#parts
    // After a failed commit nobody is listened to any more.
    if (!conversation.isOpen) return
    const ear = this.#ears.get(conversation)
    trace.note(conversation.sessionKey.slice(-6), `asks ${request.verb} ${id}`)
    if (conversation.isSuperseded) trace.reach('a request came over a superseded connection')
    ear?.asked.set(id, arrivals.received(conversation.sessionKey, request, world))
    pipeline.receive(conversation, id, request)
  }

  hangUp(conversation: Conversation): void {
    const { arrivals, pipeline } = this.#parts
    const ear = this.#ears.get(conversation)
    this.#ears.delete(conversation)
    for (const asked of ear?.asked.values() ?? []) {
      const { request } = asked
      arrivals.dropped(asked)
      if (request.verb === 'claim') arrivals.unparked(conversation.sessionKey, request.claim)
    }
    pipeline.close(conversation)
  }

  closed(connection: Connection, reason: string): void {
    this.#connections.delete(connection)
    const { trace } = this.#parts
    trace.note('broker', `loses a connection: ${reason}`)
    if (reason === 'nothing was heard for too long') trace.reach('the broker gave up a silent peer')
    if (reason.includes('did not read')) trace.reach('the broker gave up a peer that does not read')
    if (reason.includes('not completed')) trace.reach('the broker gave up half a frame')
  }

  #sweepLater(): void {
    const { world, scheduler } = this.#parts
    const dueAtMs = world.nowMs + SWEEP_MS
    scheduler.after(SWEEP_MS, () => {
      if (world.nowMs - dueAtMs < STALL_MS) {
        for (const connection of this.#connections) connection.sweep(world.nowMs)
      }
      this.#sweepLater()
    })
  }
}

/** Hears every answer of a conversation before it is queued for the socket. */
class Ear implements Sink {
  readonly asked = new Map<number, Asked>()
  session = ''
  readonly #connection: Connection
  readonly #parts: Pick<FrontDeskParts, 'trace' | 'answers' | 'arrivals'>
  #isGreeted = false

  constructor(
    connection: Connection,
    parts: Pick<FrontDeskParts, 'trace' | 'answers' | 'arrivals'>,
  ) {
    this.#connection = connection
    this.#parts = parts
  }

  get isFull(): boolean {
    return this.#connection.isFull
  }

  send(frame: Uint8Array): void {
    const { trace, answers } = this.#parts
    const message = decodeServerMessage(new Uint8Array(frame.subarray(FRAME_HEADER_BYTES)))
    if (message.kind === 'push') answers.pushed(message.channel, message.data)
    else if (this.#isGreeted) this.#check(message)
    this.#isGreeted = true
    const what = message.kind === 'push' ? message.channel : `${message.id}`
    trace.note('broker', `sends ${message.kind} ${what}`)
    this.#connection.send(frame)
  }

  setReading(isReading: boolean): void {
    if (!isReading) this.#parts.trace.reach('requests waited for room in a commit')
    this.#connection.setReading(isReading)
  }

  #check(message: Extract<ServerMessage, { kind: 'reply' | 'refusal' }>): void {
    const { trace, answers } = this.#parts
    const asked = this.asked.get(message.id)
    this.asked.delete(message.id)
    if (asked !== undefined) return answers.sent(asked, message)
    trace.violate(`request ${message.id} is answered once, and only if asked`)
  }
}
