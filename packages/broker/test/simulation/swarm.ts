// The swarm: each seed draws which faults and habits exist in its world, and how often they show.

import { SeededRandom } from './seeded-random.ts'

const WINDOW_BYTES_MAX = 256 * 1_024
/** Of up to 700 kB each, in a frame of 4 MiB. */
const BIG_BATCH_MAX = 5

/** Rates are probabilities for each chance there is; times are in ms. 0 switches a thing off. */
export interface Swarm {
  readonly faults: {
    readonly crashEveryMs: number
    readonly crashWhileRecoveringChance: number
    /** That a start finds the disk damaged, refuses by name, and finds it put right the next time. */
    readonly damagedStartChance: number
    readonly unknownChance: number
    readonly stallEveryMs: number
    readonly stallMsMax: number
    readonly wallStepEveryMs: number
    readonly wallStepMsMax: number
    readonly linkBreakEveryMs: number
    /** Requests on a broken link still arrive, perhaps after they were sent again. */
    readonly lateFrames: boolean
    /** That a peer stops reading for a while, though its connection is whole. */
    readonly deafEveryMs: number
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
    /** That what is written in one go arrives in pieces, down to single bytes. */
    readonly splitChance: number
    /** That bytes arrive together with those before them. */
    readonly joinChance: number
    /** That a break is silent: one direction, or both, take bytes that never arrive. */
    readonly blackholeChance: number
    /** How long each side waits for a sign of life, in ms. */
    readonly patienceMs: number
    /** Bytes under way in one direction: what is not read soon fills them. */
    readonly windowBytes: number
    readonly inFlightMax: number
    readonly outputBytesMax: number
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
  /** Processes with the real client in them. */
  readonly clients: {
    readonly producers: number
    readonly workers: number
    readonly requestTimeoutMs: number
    readonly inFlightMax: number
  }
  readonly operators: {
    /** False: nobody does more than to resume what is paused. */
    readonly acts: boolean
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
  const swarm = drawOrdinary(random)
  const mood = random.pick([...MOODS, ...MOODS.map(() => undefined)])
  return withRoom(mood === undefined ? swarm : mood(swarm, random))
}

/**
 * Through a narrow window a large frame would never be complete in the time that it has, and so many
 * large tasks at once would be more than a request may have.
 */
function withRoom(swarm: Swarm): Swarm {
  const { producers, network } = swarm
  if (producers.bigPayloadChance === 0) return swarm
  const batchMax = Math.min(BIG_BATCH_MAX, producers.batchMax)
  return {
    ...swarm,
    producers: { ...producers, batchMax },
    network: { ...network, windowBytes: WINDOW_BYTES_MAX },
  }
}

/**
 * Some worlds have a mood: what must come together for a rare thing to happen does so here, where
 * independent draws would need thousands of worlds.
 */
const MOODS: readonly ((swarm: Swarm, random: SeededRandom) => Swarm)[] = [
  /** More bytes than a disk that stalls can take: commits are full, requests wait. */
  function flood(swarm, random) {
    const { producers, store, workers } = swarm
    return {
      ...swarm,
      store: { ...store, commitMsMax: 20, stallChance: 0.2, stallMsMax: 3_000 },
      producers: { ...producers, batchMax: 3, bigPayloadChance: random.magnitude(0.2, 0.6) },
      workers: { ...workers, leaseMs: 1_000, heartbeatMs: 200, zombieChance: 0 },
    }
  },
  /** Connections break at every turn, and what was on its way arrives late. */
  function storm(swarm, random) {
    const { faults, network, producers, workers } = swarm
    return {
      ...swarm,
      faults: { ...faults, linkBreakEveryMs: random.magnitude(15, 60), lateFrames: true },
      network: { ...network, latencyMsMax: 10, delayMsMax: 800, noticeMsMax: 1_000 },
      producers: { ...producers, count: 3, batchMax: 1, liveMax: 20, delayChance: 0 },
      workers: { ...workers, workMsMax: 10, slots: 5, parkChance: 0.8 },
      keepsNothing: random.happens(0.5),
      journalAgeMs: random.happens(0.5) ? 200 : swarm.journalAgeMs,
    }
  },
  /** Reads take long, and much is asked again: what was read may be old when it is used. */
  function slowReads(swarm, random) {
    const { store, producers, operators, workers } = swarm
    return {
      ...swarm,
      store: { ...store, commitMsMax: 2, readMsMax: random.magnitude(20, 300) },
      producers: { ...producers, batchMax: 8, resendChance: 0.4, keyChance: 0.2, liveMax: 20 },
      workers: { ...workers, workMsMax: 20, slots: 5 },
      operators: { ...operators, acts: true, thinkMs: 10 },
      keptCountMax: random.between(1, 10),
      tasksMax: 10_000,
    }
  },
  /** Workers fall silent and come back to tasks that they, or others, hold by a newer token. */
  function zombies(swarm) {
    const { producers, operators, workers } = swarm
    return {
      ...swarm,
      producers: { ...producers, liveMax: 20, delayChance: 0 },
      workers: {
        ...workers,
        count: 2,
        slots: 4,
        leaseMs: 1_000,
        heartbeatMs: 250,
        workMsMax: 2_000,
        zombieChance: 0.08,
        restartChance: 0,
      },
      operators: { ...operators, acts: true, thinkMs: 15 },
    }
  },
  /** The broker stands still, again and again, longer than its leases last. */
  function swapping(swarm) {
    const { faults, workers } = swarm
    return {
      ...swarm,
      faults: { ...faults, stallEveryMs: 1_500, stallMsMax: 5_000 },
      workers: { ...workers, leaseMs: 1_000, heartbeatMs: 250, workMsMax: 2_000 },
    }
  },
  /** Peers ask for much and do not read it: a broker must not hold it for ever. */
  function deaf(swarm, random) {
    const { faults, network, operators, producers } = swarm
    return {
      ...swarm,
      faults: { ...faults, deafEveryMs: random.magnitude(30, 120), crashEveryMs: 0 },
      network: { ...network, patienceMs: 1_500, inFlightMax: 256 },
      producers: { ...producers, batchMax: 3, bigPayloadChance: 0.6 },
      operators: { ...operators, acts: true, thinkMs: 10 },
    }
  },
  /** Frames come in pieces, and connections go silent between two of them. */
  function fragments(swarm, random) {
    const { faults, network, producers } = swarm
    return {
      ...swarm,
      faults: { ...faults, linkBreakEveryMs: random.magnitude(30, 150) },
      network: {
        ...network,
        latencyMsMax: 20,
        splitChance: 0.9,
        joinChance: 0,
        blackholeChance: 0.7,
        patienceMs: 1_500,
      },
      producers: { ...producers, batchMax: 8 },
    }
  },
  /** Workers that are well, and hear nothing of their broker for longer than their leases last. */
  function cutOff(swarm, random) {
    const { faults, network, workers, clients } = swarm
    return {
      ...swarm,
      faults: { ...faults, linkBreakEveryMs: random.magnitude(200, 600), stallEveryMs: 0 },
      network: { ...network, blackholeChance: 0.9, patienceMs: 6_000 },
      workers: {
        ...workers,
        leaseMs: 1_000,
        heartbeatMs: 250,
        workMsMax: 6_000,
        zombieChance: 0,
        restartChance: 0,
      },
      clients: { ...clients, workers: 2 },
      timeoutMs: 3_600_000,
    }
  },
]

function drawOrdinary(random: SeededRandom): Swarm {
  const on = (chance = 0.5): boolean => random.happens(chance)
  const rate = (max: number): number => (on() ? random.magnitude(max / 30, max) : 0)
  const every = (minMs: number, maxMs: number): number =>
    on() ? random.magnitude(minMs, maxMs) : 0
  const thinkMs = random.magnitude(3, 60)
  const leaseMs = Math.round(random.magnitude(1_000, 5_000))
  return {
    faults: {
      crashEveryMs: every(50, 2_000),
      crashWhileRecoveringChance: rate(0.5),
      damagedStartChance: on() ? 0.5 : 0,
      unknownChance: rate(0.05),
      stallEveryMs: every(300, 5_000),
      stallMsMax: random.magnitude(1_000, 10_000),
      wallStepEveryMs: every(500, 5_000),
      wallStepMsMax: random.magnitude(1_000, 90_000_000),
      linkBreakEveryMs: every(50, 2_000),
      lateFrames: on(),
      deafEveryMs: on(0.25) ? random.magnitude(300, 5_000) : 0,
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
      splitChance: rate(0.5),
      joinChance: rate(0.5),
      blackholeChance: rate(0.5),
      patienceMs: random.magnitude(1_500, 15_000),
      inFlightMax: random.pick([20, 64, 256]),
      windowBytes: random.pick([4 * 1_024, 64 * 1_024, WINDOW_BYTES_MAX]),
      outputBytesMax: random.pick([64, 1_024, 16_384]) * 1_024,
    },
    producers: {
      count: random.between(1, 2),
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
      count: random.between(1, 3),
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
    clients: {
      producers: random.between(0, 2),
      workers: random.between(0, 2),
      requestTimeoutMs: Math.round(random.magnitude(1_000, 30_000)),
      inFlightMax: random.pick([24, 64, 256]),
    },
    operators: {
      acts: on(0.8),
      thinkMs: thinkMs * random.magnitude(0.5, 3),
      purges: on(0.3),
      pauses: on(0.4),
      changesQueues: on(0.4),
    },
    queues: random.pick([['mail'], ['mail', 'video'], ['mail', 'video', 'sync']]),
    keepsNothing: on(0.3),
    keptCountMax: on() ? random.between(1, 20) : 500,
    keptMs: on(0.3) ? random.between(200, 5_000) : 86_400_000,
    tasksMax: on(0.2) ? random.between(20, 40) : 10_000,
    journalAgeMs: on(0.8) ? random.between(100, 3_000) : 86_400_000,
    dedupeMs: on(0.3) ? random.between(500, 5_000) : 86_400_000,
    timeoutMs: on(0.4) ? Math.round(leaseMs * random.magnitude(0.3, 3)) : 3_600_000,
  }
}
