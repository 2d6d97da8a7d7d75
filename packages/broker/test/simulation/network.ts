// The network between the peers and the broker: connections that break in every way that they can.

import type { Scheduler } from '@tq/core'
import type { Wire, WireEvents } from '@tq/client'
import type { BrokerProcess } from './broker-process.ts'
import { BytePipe, type PipeParts } from './byte-pipe.ts'
import { Endpoint } from './endpoint.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Swarm } from './swarm.ts'
import type { Trace } from './trace.ts'
import type { World } from './world.ts'

export interface NetworkParts {
  readonly world: World
  readonly trace: Trace
  readonly broker: BrokerProcess
  readonly swarm: Swarm
  readonly random: SeededRandom
  /** A peer writes over this connection. */
  readonly onWrite: (path: Path) => void
}

/** A connection from end to end. */
export interface Path {
  /** Whose process the client's end belongs to. */
  readonly scheduler: Scheduler
  readonly client: Endpoint
  readonly broker: Endpoint
  readonly up: BytePipe
  readonly down: BytePipe
}

/** What a client may have waiting before it is asked to hold back. */
const HIGH_WATER_BYTES = 16 * 1024

export class Network {
  readonly #parts: NetworkParts
  readonly #paths = new Set<Path>()
  /** How the lines are now. */
  readonly #lines: { -readonly [K in keyof Swarm['network']]: Swarm['network'][K] }

  constructor(parts: NetworkParts) {
    this.#parts = parts
    this.#lines = { ...parts.swarm.network }
  }

  /** From now on no bytes are held up for longer than the latency. */
  calm(): void {
    this.#lines.delayChance = 0
  }

  /** Connections whose client does not know that anything is wrong. */
  get open(): readonly Path[] {
    return [...this.#paths].filter(({ client }) => !client.isDestroyed)
  }

  /** Opens a connection for a process whose time is this scheduler's. */
  dial(scheduler: Scheduler, events: WireEvents): Wire {
    const { broker, random, swarm } = this.#parts
    const client = new Endpoint()
    client.events = {
      data: (bytes) => events.data(bytes),
      // A client does not go on alone: half a connection is of no use to it.
      end: () => client.destroy(),
      drained: () => events.drained(),
      closed: (error) => events.closed(error),
    }
    let path: Path | undefined
    scheduler.after(random.chance() * 2 * swarm.network.latencyMsMax, () => {
      if (client.isDestroyed || client.isEnding) return
      const { listening } = broker
      if (listening === undefined) return client.destroy(new Error('connect ECONNREFUSED'))
      path = this.#connect(client, scheduler)
      listening.desk.accept(path.broker)
      events.opened()
    })
    return {
      write: (chunks) => {
        for (const chunk of chunks) client.write(chunk, () => undefined)
        if (path !== undefined) this.#parts.onWrite(path)
        return client.unsentBytes < HIGH_WATER_BYTES
      },
      end: () => client.end(),
      destroy: () => client.destroy(),
    }
  }

  /** The network between the two is gone; each side notices in its own time, or not at all. */
  cut(path: Path): void {
    const { random, swarm, trace } = this.#parts
    const { network, faults } = swarm
    this.#paths.delete(path)
    if (random.happens(network.blackholeChance)) {
      const ways = random.pick(['up', 'down', 'both'] as const)
      trace.note('network', `a connection takes bytes and loses them: ${ways}`)
      trace.reach('a connection was half-open')
      if (ways !== 'down') path.up.blackhole()
      if (ways !== 'up') path.down.blackhole()
      return
    }
    trace.note('network', 'a connection breaks')
    const noticeMs = random.chance() * network.noticeMsMax
    if (random.happens(0.2)) {
      // The broker's side is reset first; the client's next bytes find nobody.
      path.up.lose()
      path.broker.destroy(new Error('read ECONNRESET'))
      path.down.finish('reset', noticeMs)
      return
    }
    if (faults.lateFrames) path.up.delay(random.chance() * network.delayMsMax)
    else path.up.lose()
    path.down.lose()
    path.up.finish('reset', noticeMs)
    path.client.destroy(new Error('read ECONNRESET'))
  }

  /** The broker's process is gone; its system says so, unless the machine is gone as well. */
  brokerDied(): void {
    const { random, swarm } = this.#parts
    const isSilent = random.happens(swarm.network.blackholeChance)
    for (const path of this.#paths) {
      path.up.blackhole()
      if (isSilent) path.down.blackhole()
      else path.down.finish('reset', random.chance() * swarm.network.latencyMsMax)
    }
    this.#paths.clear()
  }

  /** A process with clients in it is gone: its system closes what it had open. */
  processDied(scheduler: Scheduler): void {
    for (const path of this.#paths) {
      if (path.scheduler === scheduler) path.client.destroy()
    }
  }

  #connect(client: Endpoint, scheduler: Scheduler): Path {
    const { world, broker, random } = this.#parts
    const process = broker.scheduler
    const far = new Endpoint(() => process.isAlive)
    const pipe = (to: Endpoint, from: Endpoint, at: Scheduler): BytePipe => {
      const parts: PipeParts = {
        world,
        scheduler: at,
        random,
        network: this.#lines,
        onBytes: (bytes) => to.take(bytes),
        onEnd: (how) => to.takeEnd(how),
        onRoom: () => from.pump(),
      }
      return new BytePipe(parts)
    }
    const up = pipe(far, client, process)
    const down = pipe(client, far, scheduler)
    client.join({ out: up, in: down })
    far.join({ out: down, in: up })
    const path = { scheduler, client, broker: far, up, down }
    for (const known of this.#paths) if (known.client.isDestroyed) this.#paths.delete(known)
    this.#paths.add(path)
    return path
  }
}
