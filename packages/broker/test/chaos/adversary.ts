// A client that breaks every custom: old tokens, everything twice, cancels against completes.

import { encodePayload, type ClaimedTask, type TaskIdBytes } from '@tq/core'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { aTask } from '../end-to-end/task-spec.ts'
import { type Held, WireClient } from '../end-to-end/wire-client.ts'
import { type ClientRole, LEASE_MS } from './client-role.ts'
import { inTime } from './in-time.ts'
import { haveLastWords } from './last-words.ts'
import { until, type Stopping } from './stopping.ts'

/** Leases it has had, the newest last: what it comes back with. */
const MEMORY_MAX = 600
const PAUSE_MS_MAX = 60
/** Tricks that it plays at a time, so that they get in the way of each other as well. */
const HANDS = 3
/** Workers leave little lying about: it has to wait for a share. */
const WAIT_MS = 120
/** About as long as a slow task runs. */
const GO_ON_MS_MAX = 40

export async function annoy(
  role: ClientRole,
  demands: NodeJS.ReadableStream,
  stopping: Stopping,
): Promise<void> {
  const adversary = new Adversary(role)
  const hand = async (): Promise<void> => {
    while (!stopping.isAsked) {
      await adversary.step().catch(() => adversary.hangUp())
      await until(stopping, adversary.random.between(1, PAUSE_MS_MAX))
    }
  }
  await Promise.all([
    haveLastWords(role, demands, stopping),
    ...Array.from({ length: HANDS }, hand),
  ])
  adversary.hangUp()
}

class Adversary {
  readonly random: SeededRandom
  readonly #role: ClientRole
  readonly #session: Uint8Array
  /** Two connections of one session: requests on them overtake each other. */
  #wires: Promise<readonly [WireClient, WireClient]> | undefined
  #had: Held[] = []
  #claims = 0

  constructor(role: ClientRole) {
    this.#role = role
    this.random = new SeededRandom(role.seed, role.name)
    this.#session = this.random.bytes(16)
  }

  hangUp(): void {
    const wires = this.#wires
    this.#wires = undefined
    wires?.then(
      (both) => both.forEach((wire) => wire.destroy()),
      () => undefined,
    )
  }

  async step(): Promise<void> {
    const wires = await this.#connected()
    const trick = this.random.pick([
      () => this.#completeTwice(wires),
      () => this.#claimAgain(wires),
      () => this.#abandon(wires),
      () => this.#comeBackLate(wires),
      () => this.#comeBackLate(wires),
      () => this.#giveBackAndGoOn(wires),
      () => this.#giveBackAndGoOn(wires),
      () => this.#holdTwice(wires),
      () => this.#holdTwice(wires),
      () => this.#makeTokensUp(wires),
      () => this.#cancelAgainstComplete(wires),
      () => this.#cancelAndVanish(wires),
      () => this.#cancelAndVanish(wires),
      () => this.#cancelWhatIsThere(wires),
      () => this.#failAndRelease(wires),
      () => this.#redrive(wires),
      () => this.#leave(wires),
    ])
    await inTime(trick())
  }

  async #connected(): Promise<readonly [WireClient, WireClient]> {
    const [host = '', port] = this.#role.address.split(':')
    const connect = () =>
      WireClient.connect({ host, port: Number(port) }, { session: this.#session })
    this.#wires ??= inTime(Promise.all([connect(), connect()]))
    const wires = await this.#wires
    if (!wires.some(({ isClosed }) => isClosed)) return wires
    throw new Error('a connection is gone')
  }

  async #claim(
    wire: WireClient,
    max: number,
    queue: string = this.random.pick([...this.#role.queues, this.#role.ownQueue]),
  ): Promise<readonly Held[]> {
    this.#claims += 1
    const { tasks } = await wire.claim(queue, {
      max,
      waitMs: WAIT_MS,
      leaseMs: LEASE_MS,
      claim: this.#claims,
    })
    return this.#remember(tasks)
  }

  #remember(tasks: readonly ClaimedTask[]): readonly Held[] {
    const held = tasks.map(([id, token]) => ({ id: Uint8Array.from(id), token }))
    this.#had = [...this.#had, ...held].slice(-MEMORY_MAX)
    return held
  }

  /** The same result on both connections at once, and once more. */
  async #completeTwice([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const held = await this.#claim(one, 6)
    const twice = [one, two, one].map((wire) => complete(wire, held))
    await Promise.all(twice)
  }

  /** The same claim on both connections, and later again. */
  async #claimAgain([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const queue = this.random.pick(this.#role.queues)
    this.#claims += 1
    const ask = { max: 4, waitMs: WAIT_MS, leaseMs: LEASE_MS, claim: this.#claims }
    const [first, second] = await Promise.all([one.claim(queue, ask), two.claim(queue, ask)])
    const held = this.#remember(first.tasks)
    this.#remember(second.tasks)
    await complete(one, held.slice(0, 1))
    this.#remember((await two.claim(queue, ask)).tasks)
  }

  /** Claims, and lets the leases end. */
  async #abandon([one]: readonly [WireClient, WireClient]): Promise<void> {
    await this.#claim(one, 3)
  }

  async #comeBackLate([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const old = this.#some(8)
    const heartbeat = { verb: 'heartbeat', leases: old, received: 0 } as const
    const asks = [
      () => complete(one, old),
      () => fail(two, old, true),
      () => release(one, old),
      () => ask(old, () => two.ask<'start'>({ verb: 'start', tasks: old })),
      () => one.ask<'heartbeat'>({ ...heartbeat, received: this.#claims }),
      () => two.ask<'heartbeat'>(heartbeat),
    ]
    await Promise.all([this.random.pick(asks)(), this.random.pick(asks)()])
  }

  /** Gives tasks back, and behaves as their worker all the same while others run them. */
  async #giveBackAndGoOn([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const old = await this.#claim(one, 12)
    await release(one, old)
    for (let again = 0; again < 3; again += 1) {
      await new Promise((resolve) => setTimeout(resolve, this.random.between(1, GO_ON_MS_MAX)))
      await two.ask<'heartbeat'>({ verb: 'heartbeat', leases: old, received: 0 })
    }
    await this.random.pick([
      () => complete(one, old),
      () => fail(one, old, false),
      () => release(one, old),
      () => ask(old, () => two.ask<'start'>({ verb: 'start', tasks: old })),
    ])()
  }

  /** Has tasks of its own, gives them back, has them again, and comes with the first tokens. */
  async #holdTwice([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const { ownQueue } = this.#role
    const tasks = Array.from({ length: 6 }, () => aTask(ownQueue, { type: 'quick' }))
    await one.enqueue(ownQueue, tasks)
    const old = await this.#claim(one, 6, ownQueue)
    await this.random.pick([() => release(one, old), () => fail(one, old, true)])()
    const held = await this.#claim(one, 6, ownQueue)
    await Promise.all([
      two.ask<'heartbeat'>({ verb: 'heartbeat', leases: old, received: 0 }),
      this.random.pick([complete, release])(two, old),
    ])
    await this.random.pick([complete, release])(one, held)
  }

  async #makeTokensUp([one]: readonly [WireClient, WireClient]): Promise<void> {
    const near = this.#some(4).map(({ id, token }) => ({
      id,
      token: token + this.random.pick([-1, 1, 2 ** 32]),
    }))
    await Promise.all([complete(one, near), release(one, near), fail(one, near, false)])
  }

  async #cancelAgainstComplete([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const held = await this.#claim(one, 4)
    const ids = held.map(({ id }) => id)
    await Promise.all(
      this.random.happens(0.5)
        ? [cancel(two, ids), complete(one, held)]
        : [complete(one, held), cancel(two, ids)],
    )
    await release(two, held)
  }

  /** Leases end whose tasks are to be cancelled: nobody may get them any more. */
  async #cancelAndVanish([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const held = await this.#claim(one, 4)
    await cancel(
      two,
      held.map(({ id }) => id),
    )
  }

  async #cancelWhatIsThere([one]: readonly [WireClient, WireClient]): Promise<void> {
    const state = this.random.pick(['queued', 'running', 'scheduled', 'retrying'] as const)
    const ids = await this.#list(one, state)
    await cancel(one, ids.slice(0, 3))
  }

  async #failAndRelease([one, two]: readonly [WireClient, WireClient]): Promise<void> {
    const held = await this.#claim(one, 4)
    await Promise.all([
      fail(one, held, this.random.happens(0.7)),
      this.random.happens(0.5) ? release(two, held) : complete(two, held),
    ])
  }

  /** Of the last queue only: what ends in the others has ended for good. */
  async #redrive([one]: readonly [WireClient, WireClient]): Promise<void> {
    const ids = await this.#list(one, this.random.pick(['dead', 'cancelled', 'expired'] as const))
    await ask(ids, () => one.ask<'redrive'>({ verb: 'redrive', ids: ids.slice(0, 3) }))
  }

  async #leave([one]: readonly [WireClient, WireClient]): Promise<void> {
    await one.ask<'leave'>({ verb: 'leave' })
  }

  async #list(
    wire: WireClient,
    state: 'queued' | 'running' | 'scheduled' | 'retrying' | 'dead' | 'cancelled' | 'expired',
  ): Promise<TaskIdBytes[]> {
    const isEnd = state === 'dead' || state === 'cancelled' || state === 'expired'
    const queue = isEnd ? this.#role.queues.at(-1) : this.random.pick(this.#role.queues)
    const { tasks } = await wire.ask<'list'>({ verb: 'list', queue: queue ?? '', state, limit: 20 })
    return tasks.map(({ id }) => Uint8Array.from(id))
  }

  #some(count: number): readonly Held[] {
    if (this.#had.length === 0) return []
    const picked = Array.from({ length: count }, () => this.random.pick(this.#had))
    return [...new Map(picked.map((held) => [String(held.id), held])).values()]
  }
}

const RESULT = (token: number): Uint8Array => encodePayload({ by: token })

function complete(wire: WireClient, held: readonly Held[]): Promise<unknown> {
  const tasks = held.map(({ id, token }) => ({ id, token, result: RESULT(token) }))
  return ask(held, () => wire.ask<'complete'>({ verb: 'complete', tasks }))
}

function release(wire: WireClient, held: readonly Held[]): Promise<unknown> {
  return ask(held, () => wire.ask<'release'>({ verb: 'release', tasks: held }))
}

function fail(wire: WireClient, held: readonly Held[], retryable: boolean): Promise<unknown> {
  const tasks = held.map((task) => ({ ...task, error: { message: 'so it is' }, retryable }))
  return ask(held, () => wire.ask<'fail'>({ verb: 'fail', tasks }))
}

function cancel(wire: WireClient, ids: readonly TaskIdBytes[]): Promise<unknown> {
  return ask(ids, () => wire.ask<'cancel'>({ verb: 'cancel', ids, reason: 'chaos' }))
}

/** Requests without items are malformed: nothing to ask then. */
async function ask(items: readonly unknown[], request: () => Promise<unknown>): Promise<void> {
  if (items.length > 0) await request()
}
