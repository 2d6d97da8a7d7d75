// The peers that there are. Each is loaded when it is needed: a process that drives one of them is
// not to carry the libraries of all.

import type { Peer } from './peer.ts'

const CATALOGUE: Readonly<Record<string, () => Promise<Peer>>> = {
  tq: async () => (await import('./tq-peer.ts')).tq,
  'tq-defaults': async () => (await import('./tq-peer.ts')).tqDefaults,
  'beanstalkd-f0': async () => (await import('./beanstalkd/peer.ts')).beanstalkdSynced,
  'beanstalkd-f50': async () => (await import('./beanstalkd/peer.ts')).beanstalkdDefault,
  'bullmq-always': async () => (await import('./bullmq-peer.ts')).bullmqAlways,
  'bullmq-everysec': async () => (await import('./bullmq-peer.ts')).bullmqEverySecond,
  'rabbit-quorum': async () => (await import('./rabbit-peer.ts')).rabbitQuorum,
  'rabbit-classic': async () => (await import('./rabbit-peer.ts')).rabbitClassic,
}

export const PEER_NAMES: readonly string[] = Object.keys(CATALOGUE)

export async function peerNamed(name: string): Promise<Peer> {
  const load = CATALOGUE[name]
  if (load === undefined) {
    throw new Error(`no peer "${name}"; there are ${PEER_NAMES.join(', ')}`)
  }
  return load()
}
