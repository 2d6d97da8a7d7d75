// The swarm: each seed draws which faults and habits exist in its world, and how often they show.

import { SeededRandom } from './seeded-random.ts'

/** Rates are probabilities for each chance there is; times are in ms. 0 switches a thing off. */
export interface Swarm {
  readonly faults: {
    readonly crashEveryMs: number
    readonly crashWhileRecoveringChance: number
    readonly unknownChance: number
    readonly stallEveryMs: number
    readonly stallMsMax: number
    readonly wallStepEveryMs: number
    readonly wallStepMsMax: number
    readonly linkBreakEveryMs: number
    /** Requests on a broken link still arrive, perhaps after they were sent again. */
    readonly lateFrames: boolean
    readonly corruptEveryMs: number
    readonly lowSpaceChance: number
  }
  readonly store: {
    readonly commitMsMax: number
    readonly stallChance: number
    readonly stallMsMax: number
    readonly readMsMax: number
  }
  readonly network: {
    readonly latencyMsMax: number
    /** That a frame is sent again by the network, and all that follow it wait. */
    readonly delayChance: number
    readonly delayMsMax: number
    /** Until the broker notices that a connection is gone. */
    readonly noticeMsMax: number
  }
  readonly producers: {
    readonly count: number
    readonly thinkMs: number
    readonly batchMax: number
    readonly keyChance: number
    readonly delayChance: number
    readonly ttlChance: number
    readonly requiresChance: number
    readonly resendChance: number
    readonly bigPayloadChance: number
    readonly liveMax: number
  }
  readonly workers: {
    readonly count: number
    readonly thinkMs: number
    readonly slots: number
    readonly workMsMax: number
    readonly leaseMs: number
    readonly heartbeatMs: number
    readonly parkChance: number
    readonly prefetchChance: number
    readonly failChance: number
    readonly releaseChance: number
    readonly zombieChance: number
    readonly restartChance: number
    readonly giveUpClaimChance: number
  }
  readonly operators: {
    readonly count: number
    readonly thinkMs: number
    readonly purges: boolean
    readonly pauses: boolean
    readonly changesQueues: boolean
  }
  readonly queues: readonly string[]
  readonly keepsNothing: boolean
  readonly keptCountMax: number
  readonly keptMs: number
  readonly tasksMax: number
  readonly journalAgeMs: number
  readonly dedupeMs: number
  readonly timeoutMs: number
}

export function drawSwarm(seed: number): Swarm {
  const random = new SeededRandom(seed, 'swarm')
  const on = (chance = 0.5): boolean => random.happens(chance)
  const rate = (max: number): number => (on() ? random.magnitude(max / 30, max) : 0)
  const every = (minMs: number, maxMs: number): number =>
    on() ? random.magnitude(minMs, maxMs) : 0
  const thinkMs = random.magnitude(3, 60)
  const leaseMs = Math.round(random.magnitude(200, 4_000))
  return {
    faults: {
      crashEveryMs: every(50, 2_000),
      crashWhileRecoveringChance: rate(0.5),
      unknownChance: rate(0.05),
      stallEveryMs: every(300, 5_000),
      stallMsMax: random.magnitude(300, 10_000),
      wallStepEveryMs: every(500, 5_000),
      wallStepMsMax: random.magnitude(1_000, 7_200_000),
      linkBreakEveryMs: every(50, 2_000),
      lateFrames: on(),
      corruptEveryMs: on(0.25) ? random.magnitude(200, 2_000) : 0,
      lowSpaceChance: on(0.2) ? 0.2 : 0,
    },
    store: {
      commitMsMax: random.magnitude(0.2, 20),
      stallChance: rate(0.1),
      stallMsMax: random.magnitude(10, 3_000),
      readMsMax: on() ? random.magnitude(0.1, 300) : 0,
    },
    network: {
      latencyMsMax: random.magnitude(0.1, 20),
      delayChance: rate(0.05),
      delayMsMax: random.magnitude(50, 2_000),
      noticeMsMax: random.magnitude(1, 2_000),
    },
    producers: {
      count: random.between(1, 3),
      thinkMs: thinkMs * random.magnitude(0.5, 3),
      batchMax: random.pick([1, 3, 8, 20]),
      keyChance: rate(0.5),
      delayChance: rate(0.5),
      ttlChance: rate(0.3),
      requiresChance: rate(0.5),
      resendChance: rate(0.3),
      bigPayloadChance: on(0.25) ? random.magnitude(0.05, 0.4) : 0,
      liveMax: random.pick([20, 60, 120]),
    },
    workers: {
      count: random.between(1, 4),
      thinkMs,
      slots: random.pick([1, 2, 5, 12]),
      workMsMax: leaseMs * random.magnitude(0.05, 3),
      leaseMs,
      heartbeatMs: Math.max(20, leaseMs / random.between(2, 4)),
      parkChance: random.chance(),
      prefetchChance: rate(0.5),
      failChance: rate(0.5),
      releaseChance: rate(0.3),
      zombieChance: rate(0.05),
      restartChance: rate(0.02),
      giveUpClaimChance: rate(0.5),
    },
    operators: {
      count: on(0.8) ? 1 : 0,
      thinkMs: thinkMs * random.magnitude(0.5, 3),
      purges: on(0.3),
      pauses: on(0.4),
      changesQueues: on(0.4),
    },
    queues: random.pick([['mail'], ['mail', 'video'], ['mail', 'video', 'sync']]),
    keepsNothing: on(0.3),
    keptCountMax: on() ? random.between(1, 20) : 100_000,
    keptMs: on(0.3) ? random.between(200, 5_000) : 86_400_000,
    tasksMax: on(0.2) ? random.between(20, 40) : 10_000,
    journalAgeMs: on(0.4) ? random.between(300, 5_000) : 86_400_000,
    dedupeMs: on(0.3) ? random.between(500, 5_000) : 86_400_000,
    timeoutMs: on(0.4) ? Math.round(leaseMs * random.magnitude(0.3, 3)) : 3_600_000,
  }
}
