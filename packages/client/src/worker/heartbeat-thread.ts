// The thread that keeps a worker's leases alive while the main thread computes. Entry point.

import { parentPort, workerData } from 'node:worker_threads'
import { invariant } from '@tq/core'
import { clientSettings } from '../client-options.ts'
import type {
  HeartbeatThreadData,
  MessageFromThread,
  MessageToThread,
} from './heartbeat-message.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { LeaseView } from './lease-view.ts'
import { Session } from '../session.ts'

const port = parentPort
invariant(port !== null, 'heartbeat-thread.ts runs as a worker thread')
const data = workerData as HeartbeatThreadData

const settings = {
  ...clientSettings({
    addresses: data.addresses,
    name: `${data.name} heartbeats`,
    connectTimeoutMs: data.connectTimeoutMs,
    reconnect: data.reconnect,
    keepaliveMs: data.leaseMs,
    ...(data.token === undefined ? {} : { token: data.token }),
  }),
  outlivesRefusal: true,
}
// A session of its own: a second connection under the worker's would take over its pushes.
const session = new Session(settings, { ready: (hello) => keeper.begin(hello.heartbeatMs) })
const keeper = new LeaseKeeper(session, {
  view: new LeaseView(data.table),
  worker: data.worker,
  leaseMs: data.leaseMs,
  events: {
    stop: (orders) => say({ kind: 'stop-orders', orders }),
    failed: ({ code, message }) => say({ kind: 'failed', code, message }),
  },
})

port.on('message', (message: MessageToThread) => hear(message))
say({ kind: 'up' })

function hear(message: MessageToThread): void {
  switch (message.kind) {
    case 'clock':
      // The message took some time: the offset is rather too big, and renewals look rather old.
      keeper.setClockOffset(settings.clock.monotonicMs() - message.mainMs)
      return session.connect()
    case 'beat':
      return keeper.beat()
    case 'stop':
      keeper.stop()
      void session.close(0).then(() => port?.close())
      return
  }
}

function say(message: MessageFromThread): void {
  port?.postMessage(message)
}
