// A scripted broker in a thread of its own, for tests that block the main one. Entry point.

import { parentPort } from 'node:worker_threads'
import { ScriptedBroker } from './scripted-broker.ts'
import { claimed, wireTask } from './wire-task.ts'

const broker = await ScriptedBroker.start({
  complete: (exchange) => exchange.reply({ ok: exchange.request.tasks.length }),
})

parentPort?.on('message', (question: { claim?: number; beats?: boolean }) => {
  void answer(question)
})
parentPort?.postMessage(broker.address)

async function answer(question: { claim?: number; beats?: boolean }): Promise<void> {
  if (question.claim !== undefined) {
    const claim = await broker.next('claim')
    claim.reply(claimed(...Array.from({ length: question.claim }, () => wireTask())))
    parentPort?.postMessage('claimed')
    return
  }
  const named = broker.requests('heartbeat').filter((request) => request.leases.length > 0)
  parentPort?.postMessage({ namedBeats: named.length })
}
