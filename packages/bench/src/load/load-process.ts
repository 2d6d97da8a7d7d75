// A load process: producers or workers apart from the broker, so that CPU can be told apart.

import { Arrivals } from './arrivals.ts'
import type { LoadAnswer, LoadOrder, Numbered } from './load-message.ts'
import { loneTasks } from './lone-tasks.ts'
import { Producers } from './producers.ts'
import { Staff } from './staff.ts'
import { NOWHERE, type Target } from './target.ts'

let target: Target = NOWHERE
let producers = new Producers(target)
let staff = new Staff(target)

process.on('message', ({ number, message }: Numbered<LoadOrder>) => {
  const answer = (answered: LoadAnswer): void => {
    process.send?.({ number, message: answered } satisfies Numbered<LoadAnswer>)
  }
  void carryOut(message).then(answer, (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    answer({ kind: 'failed', message: text })
  })
})

// Nobody is left to give orders, or to hear of them.
process.once('disconnect', () => process.exit())

async function carryOut(order: LoadOrder): Promise<LoadAnswer> {
  switch (order.kind) {
    case 'connect':
      return connect(order)
    case 'enqueue':
      return { kind: 'done', done: await producers.enqueue(order) }
    case 'stream':
      return { kind: 'done', done: await producers.stream(order) }
    case 'arrivals':
      return {
        kind: 'done',
        done: await new Arrivals(await producers.clients(), target).run(order),
      }
    case 'sample':
      return { kind: 'sample', ack: producers.sample() }
    case 'hire':
      await staff.hire(order.work)
      return { kind: 'ready' }
    case 'drain':
      return { kind: 'done', done: await staff.drain(order.tasks) }
    case 'drain-until':
      staff.until(order.tasks)
      return { kind: 'ready' }
    case 'dismiss':
      await staff.dismiss()
      return { kind: 'ready' }
    case 'latency':
      return { kind: 'done', done: await loneTasks(target, order) }
  }
}

async function connect(order: Extract<LoadOrder, { kind: 'connect' }>): Promise<LoadAnswer> {
  await producers.close()
  target = order
  producers = new Producers(target)
  staff = new Staff(target)
  if (order.role === 'producer') await producers.clients()
  return { kind: 'ready' }
}
