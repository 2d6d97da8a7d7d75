// What can be left out of a seed's world, so that a failure is seen with as little around it as can be.

import type { Swarm } from './swarm.ts'

type Change = (swarm: Swarm) => Swarm

const faults = (change: Partial<Swarm['faults']>): Change => {
  return (swarm) => ({ ...swarm, faults: { ...swarm.faults, ...change } })
}
const store = (change: Partial<Swarm['store']>): Change => {
  return (swarm) => ({ ...swarm, store: { ...swarm.store, ...change } })
}
const network = (change: Partial<Swarm['network']>): Change => {
  return (swarm) => ({ ...swarm, network: { ...swarm.network, ...change } })
}
const producers = (change: Partial<Swarm['producers']>): Change => {
  return (swarm) => ({ ...swarm, producers: { ...swarm.producers, ...change } })
}
const workers = (change: Partial<Swarm['workers']>): Change => {
  return (swarm) => ({ ...swarm, workers: { ...swarm.workers, ...change } })
}
const operators = (change: Partial<Swarm['operators']>): Change => {
  return (swarm) => ({ ...swarm, operators: { ...swarm.operators, ...change } })
}

/** In the order in which a failing seed is tried without them: what explains most goes first. */
export const OMISSIONS = {
  crash: faults({ crashEveryMs: 0, crashWhileRecoveringChance: 0 }),
  'damaged-starts': faults({ damagedStartChance: 0 }),
  unknown: faults({ unknownChance: 0 }),
  cuts: faults({ linkBreakEveryMs: 0 }),
  'late-frames': faults({ lateFrames: false }),
  stalls: faults({ stallEveryMs: 0 }),
  'wall-steps': faults({ wallStepEveryMs: 0 }),
  'deaf-peers': faults({ deafEveryMs: 0 }),
  corruption: faults({ corruptEveryMs: 0 }),
  'low-space': faults({ lowSpaceChance: 0 }),
  'store-stalls': store({ stallChance: 0 }),
  'slow-commits': store({ commitMsMax: 1 }),
  'slow-reads': store({ readMsMax: 0 }),
  delays: network({ delayChance: 0 }),
  splits: network({ splitChance: 0, joinChance: 0 }),
  'half-open': network({ blackholeChance: 0 }),
  'narrow-connections': network({
    inFlightMax: 256,
    outputBytesMax: 16 * 1024 * 1024,
    windowBytes: 256 * 1024,
  }),
  zombies: workers({ zombieChance: 0 }),
  restarts: workers({ restartChance: 0 }),
  failures: workers({ failChance: 0 }),
  releases: workers({ releaseChance: 0 }),
  prefetch: workers({ prefetchChance: 0 }),
  resends: producers({ resendChance: 0 }),
  keys: producers({ keyChance: 0 }),
  due: producers({ delayChance: 0 }),
  ttl: producers({ ttlChance: 0 }),
  requires: producers({ requiresChance: 0 }),
  'big-payloads': producers({ bigPayloadChance: 0 }),
  operators: operators({ acts: false }),
  purges: operators({ purges: false }),
  pauses: operators({ pauses: false }),
  'queue-changes': operators({ changesQueues: false }),
  'sdk-producers': (swarm) => ({ ...swarm, clients: { ...swarm.clients, producers: 0 } }),
  'sdk-workers': (swarm) => ({ ...swarm, clients: { ...swarm.clients, workers: 0 } }),
  timeouts: (swarm) => ({ ...swarm, timeoutMs: 3_600_000 }),
  retention: (swarm) => ({ ...swarm, keepsNothing: false, keptMs: 86_400_000, keptCountMax: 500 }),
} as const satisfies Record<string, Change>

export type Omission = keyof typeof OMISSIONS

export const ALL_OMISSIONS: readonly Omission[] = Object.keys(OMISSIONS) as Omission[]
