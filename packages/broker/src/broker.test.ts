// A whole broker on real files and sockets: how it starts, stops, and fails.

import { once } from 'node:events'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { RequestOf, StartupReport } from '@tq/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LevelDirectory } from '../test/level-directory.ts'
import { ManualWorld } from '../test/manual-world.ts'
import { RawClient } from '../test/raw-client.ts'
import { aBroker, aConfig, aLog, enqueueOf, type RunningBroker } from '../test/running-broker.ts'
import { temporaryDirectory } from '../test/temporary-directory.ts'
import { TroubledStore } from '../test/troubled-store.ts'
import { until } from '../test/until.ts'
import { Broker, type BrokerParts } from './broker.ts'
import { type Entry, type KeyRange, StoreError } from './storage/port.ts'
import { familyRange, taskKey } from './storage/key.ts'
import { REPORTS_MAX } from './startup-log.ts'

const PING: RequestOf<'ping'> = { verb: 'ping' }
const STEPS = [
  ...['lock', 'open', 'verify-store', 'verify'],
  ...['load-queues', 'load-sessions', 'load-tasks', 'reconcile', 'listen'],
]

describe('a broker that starts', () => {
  it('serves clients, and tells how its start went, step by step', async () => {
    const dataDir = await temporaryDirectory()
    const first = await aBroker({ dataDir })
    const client = await first.greeted()
    await client.ask(2, enqueueOf('mail', 5))
    await client.ask(3, claimOf('mail', 2))
    await first.broker.stop({ deadlineMs: 0 })

    const second = await aBroker({ dataDir })
    const reports = await reportsOf(second)

    expect(reports.map(({ epoch }) => epoch)).toEqual([2, 1])
    const report = reports[0]
    expect(report?.steps.map(({ name }) => name)).toEqual(STEPS)
    const counts = new Map(report?.steps.map((step) => [step.name, step.counts]))
    expect(counts.get('load-queues')).toEqual({ queues: 1 })
    expect(counts.get('load-tasks')).toEqual({ tasks: 5, leases: 2 })
    expect(counts.get('reconcile')).toEqual({ tasks: 5, leases: 2 })
    expect(report?.lsn).toBeGreaterThan(0)
    expect(report).not.toHaveProperty('abortedBefore')
    expect(report?.totalMs).toBeGreaterThan(0)
    expect(second.lines.find(({ event }) => event === 'started')).toMatchObject({ epoch: 2 })
  })

  it('keeps the reports of its last twenty starts, the newest first', async () => {
    const dataDir = await temporaryDirectory()
    const old = Array.from({ length: 30 }, (_, index) => aReport(100 - index))
    await mkdir(dataDir, { recursive: true })
    await writeFile(join(dataDir, 'startup-reports.json'), JSON.stringify(old))

    const reports = await reportsOf(await aBroker({ dataDir }))

    expect(reports).toHaveLength(REPORTS_MAX)
    expect(reports.map(({ epoch }) => epoch).slice(0, 3)).toEqual([1, 100, 99])
    const kept = JSON.parse(
      await readFile(join(dataDir, 'startup-reports.json'), 'utf8'),
    ) as unknown
    expect(kept).toEqual(reports)
  })

  it('starts even if its report cannot be kept, and says so in it', async () => {
    const dataDir = await temporaryDirectory()
    await mkdir(join(dataDir, 'startup-reports.json', 'in-the-way'), { recursive: true })

    const [report] = await reportsOf(await aBroker({ dataDir }))

    expect(report?.warnings).toEqual([expect.stringContaining('this report could not be kept')])
  })

  it('recognises that the start before was cut off, and in which step', async () => {
    const dataDir = await temporaryDirectory()
    await writeFile(join(dataDir, 'starting'), 'load-tasks\n')

    const { lines, ...running } = await aBroker({ dataDir })

    expect((await reportsOf({ lines, ...running }))[0]?.abortedBefore).toBe('load-tasks')
    expect(lines.find(({ event }) => event === 'start-aborted-before')).toMatchObject({
      level: 'warn',
      step: 'load-tasks',
    })
    await running.broker.stop({ deadlineMs: 0 })
    const next = await aBroker({ dataDir })
    expect((await reportsOf(next))[0]).not.toHaveProperty('abortedBefore')
  })

  it('serves health, metrics and the reports over HTTP', async () => {
    const { broker, greeted } = await aBroker({ http: { enabled: true } })
    await (await greeted()).ask(2, enqueueOf('mail', 3))

    const ask = async (path: string): Promise<Response> =>
      await fetch(`http://127.0.0.1:${broker.httpAddress?.port}${path}`)

    expect(await (await ask('/readyz')).json()).toEqual({ ready: true })
    expect(await (await ask('/startup-log')).json()).toMatchObject({ reports: [{ epoch: 1 }] })
    const metrics = await (await ask('/metrics')).text()
    expect(metrics).toContain('tq_tasks{queue="mail",state="queued"} 3')
    expect(metrics).toContain('tq_requests_total{verb="enqueue",code="OK"} 1')
    expect(metrics).toContain('tq_connections 1')
  })

  it('lets in only those with a token, if there are tokens', async () => {
    const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
    const { broker, connect } = await aBroker({
      auth: { tokens: [{ name: 'web', sha256 }] },
      http: { enabled: true },
    })

    await expect((await connect()).hello()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    const answer = await fetch(`http://127.0.0.1:${broker.httpAddress?.port}/metrics`)
    expect(answer.status).toBe(401)
  })
})

describe('a broker that cannot start', () => {
  it.each(['port', 'http'] as const)(
    'leaves nothing behind if the port is in use: %s',
    async (which) => {
      const dataDir = await temporaryDirectory()
      const port = await usedPort()
      const changes = which === 'port' ? { port } : {}
      const config = await aConfig({
        dataDir,
        ...changes,
        http: { enabled: true, port: which === 'http' ? port : 0 },
      })
      const listeningCount = listeners()

      await expect(Broker.start(config, aLog())).rejects.toMatchObject({ code: 'EADDRINUSE', port })

      expect(listeners()).toBe(listeningCount)
      const next = await aBroker({ dataDir })
      // It was refused, not cut off.
      expect((await reportsOf(next))[0]?.abortedBefore).toBeUndefined()
    },
  )

  it('leaves the data directory free if what is in it cannot be trusted', async () => {
    const dataDir = await temporaryDirectory()
    const { broker, greeted } = await aBroker({ dataDir })
    const { ids = [] } = await (await greeted()).ask(2, enqueueOf('mail', 1))
    await broker.stop({ deadlineMs: 0 })
    const directory = new LevelDirectory(dataDir)
    await directory.withLevel(async (level) => {
      for await (const [key, value] of level.iterator()) {
        if (!Buffer.from(key).includes(Buffer.from(ids[0] ?? [])) || value.length < 40) continue
        value[20] = (value[20] ?? 0) ^ 1
        await level.put(key, value)
      }
    })

    for (let attempt = 0; attempt < 2; attempt += 1) {
      const config = await aConfig({ dataDir })
      await expect(Broker.start(config, aLog())).rejects.toMatchObject({ code: 'CORRUPT' })
    }
    await expect(readFile(join(dataDir, 'starting'))).rejects.toThrow('ENOENT')
  })

  it('does not call a start cut off that was refused while it opened the store', async () => {
    const dataDir = await temporaryDirectory()
    await (await aBroker({ dataDir })).broker.stop({ deadlineMs: 0 })
    const [current, aside] = [join(dataDir, 'store', 'CURRENT'), join(dataDir, 'CURRENT')]
    await rename(current, aside)
    await expect(Broker.start(await aConfig({ dataDir }), aLog())).rejects.toMatchObject({
      code: 'CORRUPT',
    })
    await rename(aside, current)

    const next = await aBroker({ dataDir })

    expect((await reportsOf(next))[0]).not.toHaveProperty('abortedBefore')
  })

  it('does not disturb the one that runs on its data directory', async () => {
    const running = await aBroker()
    const { dataDir } = running.config

    await expect(Broker.start(await aConfig({ dataDir }), aLog())).rejects.toMatchObject({
      code: 'LOCKED',
    })

    const client = await running.greeted()
    expect(await client.ask(2, enqueueOf('mail', 1))).toMatchObject({ count: 1 })
    await running.broker.stop({ deadlineMs: 0 })
    const next = await aBroker({ dataDir })
    expect((await reportsOf(next))[0]).not.toHaveProperty('abortedBefore')
  })

  it('does not begin with a store that has been given up meanwhile', async () => {
    const dataDir = await temporaryDirectory()
    const listeningCount = listeners()
    const start = Broker.start(await aConfig({ dataDir }), {
      ...aLog(),
      makeStore: (options) => {
        const store = new TroubledStore(options)
        store.giveUp('the mark could not be written')
        return store
      },
    })

    await expect(start).rejects.toMatchObject({
      code: 'IO',
      message: 'the mark could not be written',
    })
    expect(listeners()).toBe(listeningCount)
    await aBroker({ dataDir })
  })
})

describe('a broker that stops', () => {
  it('under load keeps whatever it has acknowledged', async () => {
    const dataDir = await temporaryDirectory()
    const { broker, greeted, lines } = await aBroker({ dataDir })
    const clients = await Promise.all(Array.from({ length: 4 }, greeted))
    for (const client of clients) {
      for (let id = 2; id < 100; id += 1) client.send(id, enqueueOf('mail', 3, 200))
    }
    await until(() => clients.some(({ messages }) => messages.length > 20))

    const stopped = broker.stop({ deadlineMs: 10_000 })
    await Promise.all(clients.map((client) => client.ended))
    for (const client of clients) client.end()
    await stopped

    const acknowledged = clients.flatMap(({ messages }) =>
      messages.flatMap((message) => (message.kind === 'reply' && message.id > 1 ? [message] : [])),
    )
    for (const client of clients) {
      expect(client.messages.some((one) => one.kind === 'push' && one.channel === 'closing')).toBe(
        true,
      )
      const refusals = client.messages.flatMap((one) => (one.kind === 'refusal' ? [one.error] : []))
      for (const error of refusals) expect(error.code).toBe('UNAVAILABLE')
    }
    const again = await aBroker({ dataDir })
    const { queues } = await (
      await again.greeted()
    ).ask<'stats'>(2, { verb: 'stats', queue: 'mail' })
    expect(queues[0]?.queued).toBe(acknowledged.length * 3)
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('answers what waits: claims get nothing, requests under way get their answers', async () => {
    const { parts, store } = troubled()
    const { broker, connect, greeted } = await aBroker({}, parts)
    const [worker, producer] = [await greeted(), await greeted()]
    const silent = await connect()
    worker.send(2, claimOf('mail', 1, 30_000))
    await worker.ask(3, PING)
    store().hold()
    producer.send(2, enqueueOf('other', 1))
    await until(() => store().heldCount === 1)

    const stopped = broker.stop({ deadlineMs: 5_000 })
    await silent.ended
    store().letGo()
    const answers = await Promise.all([worker.answer<'claim'>(2), producer.answer<'enqueue'>(2)])
    await Promise.all([worker.ended, producer.ended, silent.ended])
    for (const client of [worker, producer, silent]) client.end()
    await stopped

    expect(answers).toMatchObject([{ tasks: [] }, { count: 1 }])
    expect(silent.messages).toEqual([])
  })

  it('is not ready from then on, and nothing of it is left in the end', async () => {
    const handles = handleCounts()
    const { parts, store } = troubled()
    const { broker, greeted } = await aBroker({ http: { enabled: true } }, parts)
    const url = `http://127.0.0.1:${broker.httpAddress?.port}/readyz`
    const client = await greeted()
    store().hold()
    client.send(2, enqueueOf('mail', 1))
    await until(() => store().heldCount === 1)

    const stopped = broker.stop({ deadlineMs: 5_000 })
    const readiness = await fetch(url, { headers: { connection: 'close' } })
    expect(readiness.status).toBe(503)
    expect(await readiness.json()).toMatchObject({ reasons: ['the broker is stopping'] })
    store().letGo()
    expect(await client.answer<'enqueue'>(2)).toMatchObject({ count: 1 })
    client.destroy()
    await Promise.all([stopped, broker.stop({ deadlineMs: 0 })])

    await expect(fetch(url)).rejects.toThrow('fetch failed')
    expect(await RawClient.connect(broker.address).then((late) => late.closed)).toMatchObject({
      code: 'ECONNREFUSED',
    })
    await until(() => handleCounts() <= handles)
  })

  it('does not wait beyond its deadline for a commit that does not end', async () => {
    const { parts, store } = troubled()
    const { broker, greeted } = await aBroker({}, parts)
    const client = await greeted()
    store().hold()
    client.send(2, enqueueOf('mail', 1))
    await until(() => store().heldCount === 1)

    await broker.stop({ deadlineMs: 50 })

    await client.ended
    expect(client.messages.filter(({ kind }) => kind !== 'push')).toHaveLength(1)
    store().letGo()
    expect(await isPending(broker.failed)).toBe(true)
  })

  it('lets the leases of its workers live on', async () => {
    const dataDir = await temporaryDirectory()
    const first = await aBroker({ dataDir })
    const session = new Uint8Array(16).fill(7)
    const worker = await first.connect()
    await worker.hello({ session })
    await worker.ask(2, enqueueOf('mail', 1))
    const { tasks } = await worker.ask(3, claimOf('mail', 1))
    await first.broker.stop({ deadlineMs: 0 })

    const second = await aBroker({ dataDir })
    const back = await second.connect()
    await back.hello({ session })
    const held = tasks.map(([id, token]) => ({ id, token, result: undefined }))

    expect(await back.ask(2, { verb: 'complete', tasks: held })).toEqual({ ok: 1 })
  })
})

describe('a broker that is destroyed', () => {
  it('says nothing more, and another can take its place when it is gone', async () => {
    const dataDir = await temporaryDirectory()
    const { parts, store } = troubled()
    const { broker, greeted } = await aBroker({ dataDir }, parts)
    const client = await greeted()
    await client.ask(2, enqueueOf('mail', 2))
    store().hold()
    client.send(3, enqueueOf('mail', 2))
    client.send(4, claimOf('empty', 1, 30_000))
    await until(() => store().heldCount === 1)

    broker.destroy()
    store().letGo()
    await client.ended
    await broker.stop({ deadlineMs: 5_000 })
    broker.destroy()

    expect(client.messages).toHaveLength(2)
    expect(await isPending(broker.failed)).toBe(true)
    const next = await aBroker({ dataDir })
    const { queues } = await (
      await next.greeted()
    ).ask<'stats'>(2, { verb: 'stats', queue: 'mail' })
    // What was not acknowledged may have happened, all of it or nothing.
    expect([2, 4]).toContain(queues[0]?.queued)
  })

  it('may be so in the middle of its drain', async () => {
    const { parts, store } = troubled()
    const { broker, greeted } = await aBroker({}, parts)
    const client = await greeted()
    store().hold()
    client.send(2, enqueueOf('mail', 1))
    await until(() => store().heldCount === 1)
    const stopped = broker.stop({ deadlineMs: 60_000 })

    broker.destroy()

    await stopped
    expect(client.messages.filter(({ kind }) => kind === 'reply')).toHaveLength(1)
  })
})

describe('a broker whose commit fails', () => {
  it.each([
    ['unknown', 'a commit may or may not be stored'],
    ['fenced', 'another broker has taken over the store'],
  ] as const)('falls silent and says that it cannot go on: %s', async (outcome, reason) => {
    const { parts, store } = troubled()
    const { broker, greeted } = await aBroker({ http: { enabled: true } }, parts)
    const [client, waiting] = [await greeted(), await greeted()]
    await client.ask(2, enqueueOf('mail', 1))
    waiting.send(2, claimOf('mail', 1, 30_000))
    waiting.send(3, { ...claimOf('empty', 1, 30_000), claim: 2 })
    await waiting.answer(2)

    store().hold()
    for (let id = 3; id < 50; id += 1) client.send(id, enqueueOf('mail', 1))
    await until(() => store().heldCount === 1)
    store().failCommits(outcome)
    store().letGo()

    expect(await broker.failed).toBe(reason)
    await Promise.all([client.ended, waiting.ended])
    expect(client.messages).toHaveLength(2)
    expect(waiting.messages).toHaveLength(2)
    await expect(RawClient.connect(broker.address).then((late) => late.hello())).rejects.toThrow(
      'the connection is gone',
    )
    await expect(fetch(`http://127.0.0.1:${broker.httpAddress?.port}/healthz`)).rejects.toThrow(
      'fetch failed',
    )
    await broker.stop({ deadlineMs: 5_000 })
  })

  it('names what the store said, where it said anything', async () => {
    const { broker, greeted } = await aBroker(
      {},
      { makeStore: (options) => new RefusingStore(options) },
    )
    const client = await greeted()

    client.send(2, enqueueOf('mail', 1))

    expect(await broker.failed).toBe('commit 1 failed: no space left on device')
  })

  it('does the same if the store is given up for another reason', async () => {
    const { parts, store } = troubled()
    const { broker, greeted } = await aBroker({}, parts)
    const client = await greeted()

    store().giveUp('its high-water mark could not be written')

    expect(await broker.failed).toBe('its high-water mark could not be written')
    await client.ended
    expect(client.messages).toHaveLength(1)
  })
})

describe('a broker at work', () => {
  it('takes no new work while the disk is nearly full, and says so', async () => {
    const { broker, greeted } = await aBroker({
      limits: { freeBytesMin: 2 ** 50 },
      http: { enabled: true },
    })
    const client = await greeted()

    client.send(2, enqueueOf('mail', 1))

    expect(await client.refusal(2)).toBe('NO_SPACE')
    const answer = await fetch(`http://127.0.0.1:${broker.httpAddress?.port}/readyz`)
    expect(await answer.json()).toMatchObject({
      reasons: [
        expect.stringMatching(/bytes are free on the disk, new tasks need 1125899906842624/),
      ],
    })
  })

  it('tells its log of queues, workers and tasks by the names that people know', async () => {
    const world = new ManualWorld()
    const { greeted, lines } = await aBroker({}, { world })
    const client = await greeted()
    await client.ask(2, enqueueOf('mail', 1))
    const about = { name: 'ada', version: '1', labels: {}, slots: 1 }
    await client.ask(3, { verb: 'register', ...about })
    await client.ask(4, { ...claimOf('mail', 1), leaseMs: 60_000 })
    await client.ask(5, { verb: 'queue-pause', queue: 'mail', reason: 'a test' })
    client.destroy()

    const lost = (): boolean => lines.some(({ event }) => event === 'worker-lost')
    await until(() => {
      world.pass(500)
      return lost()
    })

    const told = (event: string): unknown => lines.find((line) => line.event === event)
    expect(told('queue-created')).toMatchObject({ queue: 'mail', actor: 'anonymous' })
    expect(told('queue-changed')).toMatchObject({ queue: 'mail', paused: true })
    expect(told('worker-registered')).toMatchObject({ name: 'ada' })
    expect(told('worker-lost')).toMatchObject({ level: 'warn', worker: 'ada' })
    expect(told('task-changed')).toMatchObject({ queue: 'mail', type: 'test' })
  })

  it('notes that the process stood still', async () => {
    const world = new ManualWorld()
    const { lines } = await aBroker({}, { world })

    world.pass(1_000)
    world.standStill(7_000)
    world.pass(1_000)

    const line = lines.find(({ event }) => event === 'stalled')
    expect(line).toMatchObject({ level: 'warn' })
    expect(line?.['ms']).toBeGreaterThanOrEqual(7_000)
  })

  it('reports a record that is damaged, and does not serve it', async () => {
    const dataDir = await temporaryDirectory()
    const first = await aBroker({ dataDir })
    const client = await first.greeted()
    const { ids: [id] = [] } = await client.ask(2, enqueueOf('mail', 1))
    const { tasks } = await client.ask(3, claimOf('mail', 1))
    const held = tasks.map(([task, token]) => ({ id: task, token, result: undefined }))
    await client.ask(4, { verb: 'complete', tasks: held })
    await first.broker.stop({ deadlineMs: 0 })
    if (id === undefined) throw new Error('the broker makes ids')
    await new LevelDirectory(dataDir).withLevel(async (level) => {
      const key = taskKey('done', id)
      const value = Uint8Array.from((await level.get(key)) ?? [])
      value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
      await level.put(key, value)
    })

    const second = await aBroker({ dataDir })
    const reader = await second.greeted()
    reader.send(2, { verb: 'get', id, payload: false })

    expect(['NOT_FOUND', 'INTERNAL', 'UNAVAILABLE']).toContain(await reader.refusal(2))
    const damaged = second.lines.find(({ event }) => event === 'record-damaged')
    expect(damaged?.['key']).toContain(Buffer.from(id).toString('hex'))
  })

  it('goes on if what is kept cannot be counted', async () => {
    const { greeted, lines } = await aBroker(
      {},
      { makeStore: (options) => new UncountableStore(options) },
    )
    await until(() => lines.some(({ event }) => event === 'housekeeping-failed'))

    const client = await greeted()
    expect(await client.ask(2, enqueueOf('mail', 1))).toMatchObject({ count: 1 })
  })
})

class UncountableStore extends TroubledStore {
  override load(range: KeyRange, pageSize: number): AsyncIterable<readonly Entry[]> {
    if (Buffer.compare(range.from, familyRange('doneByEnd').from) !== 0) {
      return super.load(range, pageSize)
    }
    throw new StoreError('CORRUPT', 'a block is damaged')
  }
}

class RefusingStore extends TroubledStore {
  override get refusal(): string {
    return 'commit 1 failed: no space left on device'
  }

  override async commit(): Promise<'unknown'> {
    return await Promise.resolve('unknown')
  }
}

/** Lets a test hold of the store that a broker makes. */
function troubled(): {
  readonly parts: Pick<BrokerParts, 'makeStore'>
  store: () => TroubledStore
} {
  let made: TroubledStore | undefined
  return {
    parts: { makeStore: (options) => (made = new TroubledStore(options)) },
    store: () => {
      if (made === undefined) throw new Error('the broker has no store yet')
      return made
    },
  }
}

function claimOf(queue: string, max: number, waitMs = 0): RequestOf<'claim'> {
  return { verb: 'claim', queues: [queue], max, waitMs, start: true, claim: 1, order: 'round' }
}

async function reportsOf(running: RunningBroker): Promise<readonly StartupReport[]> {
  const client = await running.greeted()
  const { reports } = await client.ask<'startup-log'>(2, { verb: 'startup-log' })
  client.destroy()
  return reports
}

function aReport(epoch: number): StartupReport {
  return { startedAtMs: 1, totalMs: 1, epoch, lsn: 1, steps: [], warnings: [] }
}

/** A port of the loopback on which somebody else listens. */
async function usedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Sockets of this process that listen. */
function listeners(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
}

/** Sockets and timers of this process. */
function handleCounts(): number {
  const kinds = ['TCPServerWrap', 'TCPSocketWrap', 'Timeout']
  return process.getActiveResourcesInfo().filter((name) => kinds.includes(name)).length
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<boolean>((resolve) => setImmediate(() => resolve(true)))
  return await Promise.race([promise.then(() => false), later])
}
