// What an adversary says where the broker may be killed with the answer: each answer must be durable.

import { encodePayload, type TaskSpec } from '@tq/core'
import { aTask } from '../end-to-end/task-spec.ts'
import { heldOf, WireClient } from '../end-to-end/wire-client.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type ClientRole, LEASE_MS } from './client-role.ts'
import { inTime } from './in-time.ts'
import { until, type Stopping } from './stopping.ts'

/** Between two requests that nobody waits for, in ms. */
const PAUSE_MS_MAX = 80
const REDIAL_MS = 30
/** Writing so much down takes the broker a while, in which it may be killed. */
const HEAVY = { tasks: 40, payloadBytes: 40_000 } as const
/** How many of the newest keys are used again: a broker that has forgotten one makes a second task. */
const KEYS_AGAIN = 2

interface Wires {
  /** For all that is not a last word. */
  readonly plain: WireClient
  /** An answer on this one is the last. */
  readonly trip: WireClient
}

/** Says one whenever a line comes in; the rest of the time it uses its keys again. */
export async function haveLastWords(
  role: ClientRole,
  demands: NodeJS.ReadableStream,
  stopping: Stopping,
): Promise<void> {
  const speaker = new LastWords(role)
  demands.on('data', () => speaker.demand())
  while (!stopping.isAsked) {
    try {
      await speaker.step()
      await Promise.race([speaker.demanded, until(stopping, speaker.pauseMs())])
    } catch {
      speaker.hangUp()
      await until(stopping, REDIAL_MS)
    }
  }
  speaker.hangUp()
}

class LastWords {
  /** Resolves when a last word is wanted. */
  demanded: Promise<void> = Promise.resolve()
  readonly #random: SeededRandom
  readonly #role: ClientRole
  readonly #session: Uint8Array
  #wires: Wires | undefined
  readonly #filler: Uint8Array
  #isDemanded = false
  #wake: () => void = () => undefined
  #keyCount = 0
  #claimCount = 0

  constructor(role: ClientRole) {
    this.#role = role
    this.#random = new SeededRandom(role.seed, `${role.name} last words`)
    this.#session = this.#random.bytes(16)
    this.#filler = this.#random.bytes(HEAVY.payloadBytes)
  }

  hangUp(): void {
    this.#wires?.plain.destroy()
    this.#wires?.trip.destroy()
    this.#wires = undefined
  }

  pauseMs(): number {
    return this.#random.between(1, PAUSE_MS_MAX)
  }

  demand(): void {
    this.#isDemanded = true
    this.#wake()
  }

  async step(): Promise<void> {
    this.demanded = new Promise((resolve) => (this.#wake = resolve))
    const wires = await this.#connected()
    const isDemanded = this.#isDemanded
    this.#isDemanded = false
    await inTime(isDemanded ? this.#lastWord(wires) : this.#useKeysAgain(wires))
  }

  #lastWord(wires: Wires): Promise<void> {
    const dice = this.#random.chance()
    if (dice < 0.5) return this.#useNewKey(wires)
    if (dice < 0.7) return this.#storeMuch(wires.trip)
    return this.#endTask(wires)
  }

  async #connected(): Promise<Wires> {
    const { plain, trip } = this.#wires ?? {}
    if (plain?.isClosed === true || trip?.isClosed === true) this.hangUp()
    const connect = (address: string): Promise<WireClient> => {
      const [host = '', port] = address.split(':')
      return WireClient.connect({ host, port: Number(port) }, { session: this.#session })
    }
    if (this.#wires !== undefined) return this.#wires
    const { address, tripWire } = this.#role
    const [one, other] = await inTime(Promise.all([connect(address), connect(tripWire)]))
    this.#wires = { plain: one, trip: other }
    return this.#wires
  }

  /** The newest keys must name what they named before, whatever has happened since. */
  async #useKeysAgain({ plain }: Wires): Promise<void> {
    for (let back = 0; back < Math.min(KEYS_AGAIN, this.#keyCount); back += 1) {
      await this.#enqueue(plain, [this.#keyedTask(this.#keyCount - back)])
    }
  }

  /** In a crowd: the commit before and the one after it have much to write. */
  async #useNewKey({ plain, trip }: Wires): Promise<void> {
    this.#keyCount += 1
    const before = this.#storeMuch(plain)
    const word = this.#enqueue(trip, [this.#keyedTask(this.#keyCount)])
    await Promise.all([before, word, this.#storeMuch(plain), this.#storeMuch(plain)])
  }

  async #storeMuch(wire: WireClient): Promise<void> {
    const tasks = Array.from({ length: HEAVY.tasks }, () =>
      this.#task({ payload: { filler: this.#filler } }),
    )
    await this.#enqueue(wire, tasks)
  }

  /** Enqueued and claimed elsewhere; the end is the last word. */
  async #endTask({ plain, trip }: Wires): Promise<void> {
    const { ownQueue } = this.#role
    await this.#enqueue(plain, [this.#task()])
    this.#claimCount += 1
    const ask = { leaseMs: LEASE_MS, claim: this.#claimCount }
    const { tasks } = await plain.claim(ownQueue, ask)
    if (tasks.length === 0) return
    const held = heldOf(tasks[0])
    const result = encodePayload({ by: held.token })
    const error = { message: 'no more' }
    await this.#random.pick([
      () => trip.complete(held, result),
      () => trip.complete(held, result),
      () => trip.release(held),
      () => trip.ask<'fail'>({ verb: 'fail', tasks: [{ ...held, error, retryable: false }] }),
      () => trip.ask<'cancel'>({ verb: 'cancel', ids: [held.id] }),
      () => trip.claim(ownQueue, { ...ask, claim: (this.#claimCount += 1) }),
    ])()
  }

  #keyedTask(number: number): TaskSpec {
    const idempotencyKey = `${this.#role.name}-${number}`
    return this.#task({ payload: { number }, options: { idempotencyKey } })
  }

  #task(wishes: Parameters<typeof aTask>[1] = {}): TaskSpec {
    return aTask(this.#role.ownQueue, { type: 'quick', ...wishes })
  }

  async #enqueue(wire: WireClient, tasks: readonly TaskSpec[]): Promise<void> {
    await wire.ask<'enqueue'>({ verb: 'enqueue', queue: this.#role.ownQueue, tasks, fresh: false })
  }
}
