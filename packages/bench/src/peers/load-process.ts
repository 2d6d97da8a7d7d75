// A load process of the comparison: producers or workers of one peer, apart from its server.

import { enqueueAll } from './producers.ts'
import type { LoadAnswer, LoadOrder } from './load-message.ts'
import { measureLatency } from './latency.ts'
import type { Peer, PeerProducer } from './peer.ts'
import { peerNamed } from './catalogue.ts'
import { BodyMaker } from './task-body.ts'
import { Workforce } from './workforce.ts'

interface Posting {
  readonly peer: Peer
  readonly port: number
  readonly maker: BodyMaker
}

let posting: Posting | undefined
let producers: readonly PeerProducer[] = []
let workforce: Workforce | undefined

process.on('message', (order: LoadOrder) => {
  void carryOut(order).then(answer, (error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    answer({ kind: 'failed', message })
  })
})

// Whoever gave the orders is gone: nobody will hear the answers.
process.on('disconnect', () => process.exit(1))

function answer(message: LoadAnswer): void {
  process.send?.(message)
}

async function carryOut(order: LoadOrder): Promise<LoadAnswer> {
  if (order.kind === 'meet') {
    const { peer, port, payloadBytes } = order
    posting = { peer: await peerNamed(peer), port, maker: new BodyMaker(payloadBytes) }
    return { kind: 'ready' }
  }
  if (posting === undefined) throw new Error('the first order must name the peer')
  const { peer, port, maker } = posting
  switch (order.kind) {
    case 'open-producers': {
      const connecting = Array.from({ length: order.connections }, () => peer.connectProducer(port))
      producers = await Promise.all(connecting)
      return { kind: 'ready' }
    }
    case 'enqueue':
      return enqueueAll(producers, maker, order)
    case 'open-workers':
      workforce = new Workforce(order.tasks)
      await workforce.open({ peer, port }, order)
      return { kind: 'ready' }
    case 'finish-workers':
      if (workforce === undefined) throw new Error('no workers have been opened')
      return workforce.finish()
    case 'close-workers':
      await workforce?.close()
      return { kind: 'ready' }
    case 'latency':
      return measureLatency({ peer, port }, maker, order)
  }
}
