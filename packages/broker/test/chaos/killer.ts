// Draws from a seed what is done to whom and when, and does it.

import type { FaultProxy } from '../end-to-end/fault-proxy.ts'
import { unreachable } from '@tq/core'
import { SeededRandom } from '../simulation/seeded-random.ts'
import type { BrokerKeeper } from './broker-keeper.ts'
import { LEASE_MS } from './client-role.ts'
import type { ClientProcess } from './client-process.ts'
import type { TripWire } from './trip-wire.ts'

export interface Victims {
  readonly broker: BrokerKeeper
  readonly producers: readonly ClientProcess[]
  readonly workers: readonly ClientProcess[]
  readonly adversaries: readonly ClientProcess[]
  readonly proxies: readonly FaultProxy[]
  readonly tripWire: TripWire
}

export type Fault =
  | 'kill-broker'
  | 'kill-worker'
  | 'kill-producer'
  | 'kill-adversary'
  | 'freeze-broker'
  | 'freeze-worker'
  | 'restart-broker'
  | 'restart-worker'
  | 'reset-connections'
  | 'black-hole'
  | 'slow-network'

/** How often each fault comes, relative to the others. */
const WEIGHTS: Readonly<Record<Fault, number>> = {
  'kill-broker': 52,
  'kill-worker': 24,
  'kill-producer': 4,
  'kill-adversary': 2,
  'freeze-broker': 4,
  'freeze-worker': 8,
  'restart-broker': 3,
  'restart-worker': 3,
  'reset-connections': 5,
  'black-hole': 4,
  'slow-network': 2,
}

/** Between two faults, in ms; spread over the orders of magnitude, so that quiet times come too. */
const PAUSE_MS = { min: 80, max: 1_000 } as const
/** How often nothing happens for a while, in which leases and what was delayed get their turn. */
const QUIET = 0.04
const QUIET_MS = { min: 2_000, max: 5_000 } as const
/** A broker is mostly left alone for so long after its start, in ms. */
const WORK_MS = 400
/** How often a process is killed before it has done anything all the same. */
const EARLY = 0.1
/**
 * The moments in which a broker is killed: any; with the next answer on its lips; with the answer to
 * an adversary's last word; and the same while all others are held still, so that no later commit
 * takes with it what that answer owes.
 */
const MOMENTS = ['any', 'any', 'answer', 'last word', 'hush', 'hush'] as const
/**
 * It is killed at any moment if the one that was waited for does not come, in ms: milliseconds on a
 * machine of its own, seconds on a busy one.
 */
const AIM_MS = 4_000
/** From when all others stand still to when the broker has nothing more to do. */
const HUSH_MS = 60
/** A broker stands still for so long, in ms: short of and beyond a lease. */
const BROKER_FREEZE_MS = { min: 200, max: 2 * LEASE_MS } as const
/** A worker that stands still for longer than its leases comes back as a zombie. */
const WORKER_FREEZE_MS = { min: LEASE_MS / 2, max: 3 * LEASE_MS } as const
const NETWORK_FAULT_MS = { min: 100, max: 2_500 } as const
const SLOW_MS_MAX = 150

export class Killer {
  readonly counts: Record<Fault, number>
  readonly #victims: Victims
  readonly #random: SeededRandom
  readonly #killedBefore: number
  #isAiming = false
  /** What ends by itself: frozen processes, faults of the network. */
  readonly #passing = new Set<() => void>()

  constructor(victims: Victims, seed: number) {
    this.#victims = victims
    this.#random = new SeededRandom(seed, 'killer')
    this.#killedBefore = victims.broker.killCount
    this.counts = Object.fromEntries(Object.keys(WEIGHTS).map((fault) => [fault, 0])) as Record<
      Fault,
      number
    >
  }

  /** SIGKILLs of brokers and workers so far. */
  get killCount(): number {
    const brokers = this.#victims.broker.killCount - this.#killedBefore
    return brokers + this.counts['kill-worker']
  }

  /** Goes on until `isOver`, and then lets everything heal. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const isQuiet = this.#random.happens(QUIET)
      const { min, max } = isQuiet ? QUIET_MS : PAUSE_MS
      await pause(this.#random.magnitude(min, max))
      const fault = this.#draw()
      if (this.#do(fault)) this.counts[fault] += 1
    }
    for (const end of this.#passing) end()
  }

  #draw(): Fault {
    const faults = Object.entries(WEIGHTS) as [Fault, number][]
    let left = this.#random.chance() * faults.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [fault, weight] of faults) {
      left -= weight
      if (left < 0) return fault
    }
    return 'kill-worker'
  }

  /** False if there was nobody to do it to. */
  #do(fault: Fault): boolean {
    const { broker, producers, workers, adversaries, proxies } = this.#victims
    const random = this.#random
    switch (fault) {
      case 'kill-broker':
        // Now and then in the middle of its start; else it gets the time to do something first.
        if (this.#isAiming || (broker.upMs < WORK_MS && !random.happens(EARLY))) return false
        this.#killBroker(random.pick(MOMENTS))
        return true
      case 'restart-broker':
        if (broker.upMs === 0) return false
        broker.terminate()
        return true
      case 'freeze-broker':
        return this.#freeze(broker, random.between(BROKER_FREEZE_MS.min, BROKER_FREEZE_MS.max))
      case 'kill-worker':
        return this.#kill(random.pick(workers))
      case 'kill-producer':
        return this.#kill(random.pick(producers))
      case 'kill-adversary':
        return this.#kill(random.pick(adversaries))
      case 'restart-worker':
        random.pick(workers).signal('SIGTERM')
        return true
      case 'freeze-worker': {
        const ms = random.between(WORKER_FREEZE_MS.min, WORKER_FREEZE_MS.max)
        return this.#freeze(random.pick(workers), ms)
      }
      case 'reset-connections':
        random.pick(proxies).dropAll()
        return true
      case 'black-hole':
        return this.#trouble(random.pick(proxies), {
          blackhole: random.happens(0.5) ? 'up' : 'down',
        })
      case 'slow-network':
        return this.#trouble(random.pick(proxies), { delayMs: random.between(1, SLOW_MS_MAX) })
    }
  }

  #killBroker(moment: (typeof MOMENTS)[number]): void {
    const { broker, producers, workers } = this.#victims
    switch (moment) {
      case 'any':
        return broker.kill()
      case 'answer':
        return broker.killAtNextAnswer()
      case 'last word':
        return this.#killAtLastWord([], 0)
      case 'hush':
        return this.#killAtLastWord([...producers, ...workers], HUSH_MS)
      default:
        return unreachable(moment)
    }
  }

  /** @param others Stand still until it has happened; the answer counts from `hushMs` on. */
  #killAtLastWord(others: readonly ClientProcess[], hushMs: number): void {
    const { broker, tripWire, adversaries } = this.#victims
    this.#isAiming = true
    for (const other of others) other.signal('SIGSTOP')
    const kill = this.#passes(AIM_MS, () => {
      this.#isAiming = false
      tripWire.disarm()
      broker.kill()
      for (const other of others) other.signal('SIGCONT')
    })
    setTimeout(() => {
      if (!this.#isAiming) return
      tripWire.arm(kill)
      this.#random.pick(adversaries).demand()
    }, hushMs)
  }

  /** Mostly in the middle of its work, now and then before it has begun. */
  #kill(client: ClientProcess): boolean {
    if (!client.isRunning || (!client.isAtWork && !this.#random.happens(EARLY))) return false
    client.kill()
    return true
  }

  #freeze(who: { signal(signal: 'SIGSTOP' | 'SIGCONT'): void }, ms: number): boolean {
    who.signal('SIGSTOP')
    this.#passes(ms, () => who.signal('SIGCONT'))
    return true
  }

  /** Bytes are lost on the way, so the connections that had them cannot go on afterwards. */
  #trouble(proxy: FaultProxy, faults: FaultProxy['faults']): boolean {
    proxy.faults = faults
    this.#passes(this.#random.magnitude(NETWORK_FAULT_MS.min, NETWORK_FAULT_MS.max), () => {
      proxy.faults = {}
      if (faults.blackhole !== undefined) proxy.dropAll()
    })
    return true
  }

  /** @returns What ends it before its time. */
  #passes(ms: number, end: () => void): () => void {
    const once = (): void => {
      clearTimeout(timer)
      if (this.#passing.delete(once)) end()
    }
    const timer = setTimeout(once, ms)
    this.#passing.add(once)
    return once
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
