import { Session } from './dist/session.js'
import { clientSettings } from './dist/client-options.js'
import { HeartbeatThread } from './dist/worker/heartbeats.js'
import { LeaseTable } from './dist/worker/lease-table.js'
const session = new Session(clientSettings({ address: '127.0.0.1:1' }), {})
const thread = new HeartbeatThread(session, { table: new LeaseTable(1), leaseMs: 1000, events: { stop(){}, failed(){} } })
await thread.start()
console.log('left')
