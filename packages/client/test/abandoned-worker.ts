// A process whose main thread ends while a heartbeat thread is up. Entry point.

import { clientSettings } from '../src/client-options.ts'
import { Session } from '../src/session.ts'
import { HeartbeatThread } from '../src/worker/heartbeats.ts'
import { LeaseTable } from '../src/worker/lease-table.ts'
import { FROM_SOURCE } from './from-source.ts'
import { ScriptedBroker } from './scripted-broker.ts'

const broker = await ScriptedBroker.start()
const session = new Session(clientSettings({ address: broker.address }), {})
const options = {
  table: new LeaseTable(1),
  leaseMs: 1_000,
  events: { stop: () => {}, failed: () => {} },
}
const thread = new HeartbeatThread(session, options, FROM_SOURCE)
await thread.start()
await broker.next('heartbeat', () => true)
broker.unref()
process.stdout.write('left\n')
