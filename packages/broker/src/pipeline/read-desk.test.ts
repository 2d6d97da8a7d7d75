// Answers that change nothing show only what is durable.

import type { ReplyOf, TaskDescription } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import {
  claimed,
  claimOf,
  completeOf,
  enqueued,
  enqueueOf,
  held,
} from '../../test/request-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'

const NOWHERE = aTaskId('mail', 999)
const PAYLOAD = Uint8Array.of(1, 2, 3)
const REGISTER = {
  verb: 'register',
  name: 'w',
  version: '2',
  labels: { gpu: true },
  slots: 3,
} as const

describe('get', () => {
  it('describes a task that waits, with its payload only if asked for it', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const wish = { payload: PAYLOAD, idempotencyKey: 'k', headers: { a: 'b' } }
    const id = await enqueued(peer, 1, wish)

    const without = await peer.reply<TaskDescription>({ verb: 'get', id, payload: false })
    const whole = await peer.reply<TaskDescription>({ verb: 'get', id, payload: true })

    expect(without).toMatchObject({ state: 'queued', idempotencyKey: 'k', headers: { a: 'b' } })
    expect(without.payload).toBeUndefined()
    expect(without.history).toBeUndefined()
    expect(whole.payload).toEqual(PAYLOAD)
  })

  it('reads what memory does not hold from disk', async () => {
    const rig = await PipelineRig.open()
    const trace = { traceparent: '00-1-2-01' }
    const id = await enqueued(rig.peer('p'), 1, { payload: PAYLOAD, trace })
    const again = await rig.reopened()

    const task = await again.peer('p').reply<TaskDescription>({ verb: 'get', id, payload: true })

    expect(task).toMatchObject({ payload: PAYLOAD, trace })
  })

  it('tells the history of a task that lives, and all of it once it has ended', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    await peer.reply({ verb: 'release', tasks: [held(await claimed(peer, 1))] })

    const live = await peer.reply<TaskDescription>({ verb: 'get', id, payload: false })
    await peer.reply(completeOf(await claimed(peer, 2)))
    const ended = await peer.reply<TaskDescription>({ verb: 'get', id, payload: true })

    expect(live.history?.map(({ transitions }) => transitions.at(-1)?.reason)).toEqual(['released'])
    expect(ended.history?.map(({ transitions }) => transitions.at(-1)?.reason)).toEqual([
      'released',
      'completed',
    ])
    expect(ended.payload).toEqual(Uint8Array.of(1))
  })

  it('tells of an end in memory when that is durable, with its last chapter', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    const task = await claimed(peer, 1)
    rig.store.commits.shut()
    peer.ask(completeOf(task))

    const get = peer.ask({ verb: 'get', id, payload: false })
    await rig.settle()
    expect(peer.answerTo(get)).toBeUndefined()
    rig.store.commits.open()
    await rig.settle()

    expect(peer.resultOf<TaskDescription>(get)).toMatchObject({ state: 'completed' })
    expect(peer.resultOf<TaskDescription>(get).history).toHaveLength(1)
  })

  it('does not know what never was, what was not kept, and what was purged', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 0 } })
    const peer = rig.peer('w')
    const done = await enqueued(peer, 1)
    await peer.reply(completeOf(await claimed(peer, 1)))
    const purged = await enqueued(peer, 2)
    rig.store.commits.shut()
    peer.ask({ verb: 'queue-purge', queue: 'mail' })

    const ids = [NOWHERE, done, purged]
    const asked = ids.map((id) => peer.ask({ verb: 'get', id, payload: false }))
    await rig.settle()
    rig.store.commits.open()
    await rig.settle()

    for (const request of asked) expect(() => peer.resultOf(request)).toThrow('no such task')
  })

  it('is refused for now if the store cannot be read', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.failsReads = true

    const error = await peer.refusal({ verb: 'get', id: NOWHERE, payload: false })

    expect(error.code).toBe('UNAVAILABLE')
    expect(error.retryAfterMs).toBe(1_000)
  })
})

describe('wait', () => {
  it('hears of the end of a task when that is durable', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    const waiting = peer.ask({ verb: 'wait', id, waitMs: 30_000 })
    const task = await claimed(peer, 1)
    expect(peer.answerTo(waiting)).toBeUndefined()
    rig.store.commits.shut()

    peer.ask(completeOf(task))
    await rig.settle()
    expect(peer.answerTo(waiting)).toBeUndefined()
    rig.store.commits.open()
    await rig.settle()

    expect(peer.resultOf(waiting)).toMatchObject({ done: true, task: { state: 'completed' } })
  })

  it('is told that nothing happened when its time is over, or at once if it has none', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const id = await enqueued(peer, 1)

    expect(await peer.reply({ verb: 'wait', id, waitMs: 0 })).toEqual({ done: false })
    const waiting = peer.ask({ verb: 'wait', id, waitMs: 100 })
    await rig.pass(100)

    expect(peer.resultOf(waiting)).toEqual({ done: false })
  })

  it('finds what has ended before, in memory and on disk', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    const task = await claimed(peer, 1)
    rig.store.commits.shut()
    peer.ask(completeOf(task))
    const inMemory = peer.ask({ verb: 'wait', id, waitMs: 30_000 })
    await rig.settle()
    expect(peer.answerTo(inMemory)).toBeUndefined()
    rig.store.commits.open()
    await rig.settle()

    const onDisk = await peer.reply({ verb: 'wait', id, waitMs: 30_000 })

    expect(peer.resultOf(inMemory)).toMatchObject({ done: true, task: { state: 'completed' } })
    expect(onDisk).toMatchObject({ done: true, task: { state: 'completed' } })
  })

  it('is refused for a task that is not there', async () => {
    const rig = await PipelineRig.open()

    const error = await rig.peer('p').refusal({ verb: 'wait', id: NOWHERE, waitMs: 1_000 })

    expect(error.code).toBe('NOT_FOUND')
  })

  it('can be aborted, and is over when the broker stops or its connection is gone', async () => {
    const rig = await PipelineRig.open()
    const [peer, gone] = [rig.peer('p'), rig.peer('gone')]
    const id = await enqueued(peer, 1)
    const first = peer.ask({ verb: 'wait', id, waitMs: 30_000 })
    expect(await peer.reply({ verb: 'abort', id: first })).toEqual({ aborted: true })
    const second = peer.ask({ verb: 'wait', id, waitMs: 30_000 })
    gone.ask({ verb: 'wait', id, waitMs: 30_000 })
    gone.leave()
    rig.pipeline.stop()
    await rig.settle()

    expect([peer.resultOf(first), peer.resultOf(second)]).toEqual([
      { done: false },
      { done: false },
    ])
    expect(gone.heard).toEqual([])
  })
})

describe('stats', () => {
  it('counts the tasks of each queue by state, and what is kept once it was counted', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    await enqueued(peer, 2, { delayMs: 1_000 })
    await enqueued(peer, 3)
    await peer.reply(completeOf(await claimed(peer, 1)))
    await claimed(peer, 2)
    await peer.reply(enqueueOf('video', [aTask({ id: aTaskId('video', 1) })]))
    rig.peer('other').ask(claimOf({ queues: ['sync', 'mail'], waitMs: 30_000 }))

    const before = await peer.reply<ReplyOf<'stats'>>({ verb: 'stats' })
    await rig.housekeeping.begin()
    const mail = await peer.reply<ReplyOf<'stats'>>({ verb: 'stats', queue: 'mail' })

    expect(before.queues.map(({ queue, kept }) => [queue, kept])).toEqual([
      ['mail', null],
      ['video', null],
    ])
    expect(mail.queues).toHaveLength(1)
    expect(mail.queues[0]).toMatchObject({ scheduled: 1, queued: 0, running: 1, waitingClaims: 1 })
    expect(mail.broker).toMatchObject({ tasks: 3, connections: 2, epoch: 1, version: '0.0.0' })
  })

  it('is refused for a queue that is not there', async () => {
    const rig = await PipelineRig.open()

    const error = await rig.peer('p').refusal({ verb: 'stats', queue: 'mail' })

    expect(error.code).toBe('NOT_FOUND')
    expect(error.details).toEqual({ queue: 'mail' })
  })
})

describe('workers and the startup log', () => {
  it('tell who is there, and how the broker started', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await peer.reply(REGISTER)
    await enqueued(rig.peer('p'), 1)
    await claimed(rig.peer('p'), 1) // a session, but no worker
    const report = { startedAtMs: 1, totalMs: 2, epoch: 1, lsn: 0, steps: [], warnings: [] }
    rig.pipeline.reads.publishReports([report])

    const { workers } = await peer.reply<ReplyOf<'workers'>>({ verb: 'workers' })

    expect(workers).toHaveLength(1)
    expect(workers[0]).toMatchObject({ name: 'w', slots: 3, health: 'ok', principal: 'alice' })
    expect(await peer.reply({ verb: 'startup-log' })).toEqual({ reports: [report] })
    expect(rig.pipeline.reads.reports).toEqual([report])
  })
})
