// Laws of the heartbeat thread: it beats while the main thread computes, and dies with it.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FROM_SOURCE } from '../../test/from-source.ts'
import { aBroker, aDeadAddress, aWorker, until } from '../../test/rig.ts'
import type { Script } from '../../test/scripted-broker.ts'
import { claimed, wireTask } from '../../test/wire-task.ts'
import type { WorkerEvent } from './worker-event.ts'

const FAST = { heartbeatThread: { execArgv: FROM_SOURCE }, leaseMs: 1_000 }

const CONTENT: Script = {
  complete: (exchange) => exchange.reply({ ok: exchange.request.tasks.length }),
  release: (exchange) => exchange.reply({ ok: exchange.request.tasks.length }),
}

/** Keeps this thread from doing anything else. */
function compute(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

/** A broker in a process of its own: one in this process would be as blocked as the worker. */
async function aBrokerElsewhere(): Promise<{
  address: string
  ask: (question: unknown) => Promise<unknown>
}> {
  const script = fileURLToPath(new URL('../../test/broker-thread.ts', import.meta.url))
  const thread = new Worker(script, { execArgv: [...FROM_SOURCE] })
  onTestFinished(async () => void (await thread.terminate()))
  const answer = (): Promise<unknown> => new Promise((resolve) => thread.once('message', resolve))
  const address = (await answer()) as string
  return {
    address,
    ask: (question) => {
      const answered = answer()
      thread.postMessage(question)
      return answered
    },
  }
}

/** A preloaded module that ends its thread a little later, but only the first one. */
function deadlyOnce(file: string): string {
  const code = `import { existsSync, writeFileSync } from 'node:fs'
    const file = ${JSON.stringify(file)}
    if (!existsSync(file)) setTimeout(() => { writeFileSync(file, ''); process.exit(1) }, 300)`
  return `data:text/javascript,${encodeURIComponent(code)}`
}

describe('HeartbeatThread', () => {
  it('keeps leases alive while a handler keeps the main thread busy', async () => {
    const broker = await aBrokerElsewhere()
    const events: WorkerEvent[] = []
    const worker = aWorker(broker, { ...FAST, onEvent: (event) => events.push(event) })
    worker.handle('send', () => {
      compute(2_500)
      return 'computed'
    })
    await worker.start()

    await broker.ask({ claim: 1 })
    await until(() => events.some((event) => event.kind === 'task-completed'))

    const { namedBeats } = (await broker.ask({ beats: true })) as { namedBeats: number }
    expect(namedBeats).toBeGreaterThanOrEqual(5)
    expect(events.map((event) => event.kind)).not.toContain('task-stopped')
  })

  it('brings orders to stop, and beats over a connection and session of its own', async () => {
    const task = wireTask()
    const broker = await aBroker({
      ...CONTENT,
      heartbeat: (exchange) => {
        const { leases } = exchange.request
        exchange.reply(leases.length === 0 ? {} : { stop: [[task[0], task[1], 'cancelled']] })
      },
    })
    const worker = aWorker(broker, FAST)
    const reasons: unknown[] = []
    worker.handle('send', async (_task, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      reasons.push(signal.reason)
    })
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(task))
    await broker.next('release', () => true)

    expect(reasons).toMatchObject([{ reason: 'cancelled' }])
    const [first, second] = broker.requests('hello')
    expect(first?.session).not.toEqual(second?.session)
    const [beat] = broker.requests('heartbeat')
    expect([first?.session, second?.session]).toContainEqual(beat?.session)
    expect(broker.seen.find((each) => each.request.verb === 'heartbeat')?.connection).not.toBe(
      broker.seen.find((each) => each.request.verb === 'register')?.connection,
    )
  })

  it('tells of heartbeats that fail', async () => {
    const broker = await aBroker({
      ...CONTENT,
      heartbeat: (exchange) => exchange.refuse('INTERNAL', 'oops'),
    })
    const events: WorkerEvent[] = []
    const worker = aWorker(broker, { ...FAST, onEvent: (event) => events.push(event) })
    worker.handle('send', () => undefined)
    await worker.start()

    await until(() => events.some((event) => event.kind === 'heartbeat-failed'))

    const failure = events.find((event) => event.kind === 'heartbeat-failed')
    expect(failure).toMatchObject({ error: { code: 'INTERNAL', message: 'oops' } })
  })

  it('is started again when it dies', async () => {
    const broker = await aBroker(CONTENT)
    const events: WorkerEvent[] = []
    const directory = mkdtempSync(join(tmpdir(), 'tq-heartbeats-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const execArgv = [...FROM_SOURCE, '--import', deadlyOnce(join(directory, 'died'))]
    const worker = aWorker(broker, {
      ...FAST,
      heartbeatThread: { execArgv },
      onEvent: (event) => events.push(event),
    })
    worker.handle('send', () => undefined)
    await worker.start()

    await until(() => events.some((event) => event.kind === 'heartbeat-failed'))
    const before = broker.requests('heartbeat').length
    await until(() => broker.requests('heartbeat').length > before)

    const failure = events.find((event) => event.kind === 'heartbeat-failed')
    expect(failure).toMatchObject({ error: { code: 'INTERNAL' } })
  })

  it('does not start where it cannot run', async () => {
    const address = await aDeadAddress()
    const worker = aWorker({ address }, { heartbeatThread: { execArgv: ['--import', 'no-such'] } })
    worker.handle('send', () => undefined)

    await expect(worker.start()).rejects.toThrow('no-such')
  })

  it('does not keep a process alive that has nothing else to do', () => {
    const script = fileURLToPath(new URL('../../test/abandoned-worker.ts', import.meta.url))

    const flags = ['--import', 'tsx', '--conditions=@tq/source', script]
    const output = execFileSync(process.execPath, flags, { encoding: 'utf8' })

    expect(output).toContain('left')
  })
})
