// beanstalkd: a small task queue in C with a write-ahead log.

import { INSTALL_PEERS, type Peer } from '../peer.ts'
import { PHASE_NAMES } from '../phase-name.ts'
import { outputOf } from '../program-output.ts'
import { ServerProcess } from '../server-process.ts'
import { Connection } from './connection.ts'
import { connectProducer } from './producer.ts'
import { connectWorker } from './worker.ts'

const COMMAND = 'beanstalkd'

/** Each write is synced by itself before its answer: beanstalkd has no group commit. */
export const beanstalkdSynced: Peer = peerOf('beanstalkd-f0', {
  durability: 'log synced before each answer (-f 0)',
  flags: ['-f', '0'],
})

export const beanstalkdDefault: Peer = peerOf('beanstalkd-f50', {
  durability: 'log written before each answer, synced every 50 ms at most (its default)',
  flags: [],
})

function peerOf(
  name: string,
  how: { readonly durability: string; readonly flags: readonly string[] },
): Peer {
  return {
    name,
    durability: how.durability,
    batching: 'puts pipelined',
    phases: PHASE_NAMES,
    install: INSTALL_PEERS,
    client: 'client of our own, pipelining',
    version: () => outputOf(COMMAND, ['-v'])?.replace(/^beanstalkd /, ''),
    start: () =>
      ServerProcess.start({
        command: COMMAND,
        argv: ({ directory, port }) => {
          return ['-l', '127.0.0.1', '-p', String(port), '-b', directory, ...how.flags]
        },
      }),
    prepare: () => Promise.resolve(), // the tube `default` is always there
    connectProducer,
    connectWorker,
    countLeft,
  }
}

async function countLeft(port: number): Promise<number> {
  const connection = await Connection.open(port, () => {})
  const { body } = await connection.ask('stats')
  connection.close()
  const text = Buffer.from(body ?? []).toString('latin1')
  const states = ['ready', 'reserved', 'delayed', 'buried']
  return states.reduce((sum, state) => {
    return sum + Number(new RegExp(`^current-jobs-${state}: (\\d+)`, 'm').exec(text)?.[1])
  }, 0)
}
