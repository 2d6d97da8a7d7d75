// A client process of the chaos rig; its only argument is its role, as JSON.

import { annoy } from '../chaos/adversary.ts'
import { work } from '../chaos/busy-worker.ts'
import type { ClientRole } from '../chaos/client-role.ts'
import { HistoryWriter } from '../chaos/history-writer.ts'
import { produce } from '../chaos/producer.ts'
import { stopOnSignal } from '../chaos/stopping.ts'
import { tapConnections } from '../chaos/wire-tap.ts'

const role = JSON.parse(process.argv[2] ?? '{}') as ClientRole
const history = new HistoryWriter(role.history)
const stopping = stopOnSignal()
// The rig holds the other end: if it is gone, nobody would ever stop this.
process.stdin.resume().once('end', () => process.exit(1))
// The tap of the heartbeat thread looks here: a thread inherits the environment, and nothing else.
process.env['CHAOS_HEARTBEAT_HISTORY'] = role.heartbeatHistory
tapConnections(history)

switch (role.part) {
  case 'producer':
    await produce(role, history, stopping)
    break
  case 'worker':
    await work(role, history, stopping)
    break
  case 'adversary':
    await annoy(role, process.stdin, stopping)
    break
}
history.flush()
process.exit(0)
