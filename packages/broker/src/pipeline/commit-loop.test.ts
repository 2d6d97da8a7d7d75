// Group commit: one in flight, answers after their commit, silence after a failure.

import { describe, expect, it } from 'vitest'
import { aTask, aTaskId } from '../../test/task-builder.ts'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import {
  beatOf,
  claimOf,
  completeOf,
  claimed,
  enqueued,
  enqueueOf,
} from '../../test/request-builder.ts'

const BIG = new Uint8Array(600_000)

describe('the commit loop', () => {
  it('gathers what comes while a commit is in flight into the next one', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.commits.shut()

    for (let number = 1; number <= 5; number += 1) {
      peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', number) })]))
      await rig.settle()
    }
    const before = rig.store.batches.length
    rig.store.commits.open()
    await rig.settle()

    expect(before).toBe(1)
    expect(rig.reports.map(({ lsn, factCount }) => [lsn, factCount])).toEqual([
      [1, 2], // the queue comes with its first task
      [2, 4],
    ])
    expect(rig.store.commitsAtOnceMax).toBe(1)
  })

  it('commits a lone command at once, and what one turn brings together', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')

    for (let number = 1; number <= 3; number += 1) {
      peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', number) })]))
    }
    await rig.settle()

    expect(rig.reports.map(({ factCount }) => factCount)).toEqual([4])
  })

  it('lets an answer go when its commit is durable, and not before', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.commits.shut()

    const first = peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))
    await rig.settle()
    const second = peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 2) })]))
    await rig.settle()
    expect(peer.heard).toEqual([])
    rig.store.commits.open()
    await rig.settle()

    expect(peer.answerTo(first)).toMatchObject({ kind: 'reply', lsn: 1 })
    expect(peer.answerTo(second)).toMatchObject({ kind: 'reply', lsn: 2 })
  })

  it('makes a read wait for everything that it shows', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const id = await enqueued(peer, 1)
    rig.store.commits.shut()

    peer.ask({ verb: 'cancel', ids: [id] })
    const inGathering = peer.ask({ verb: 'stats' })
    await rig.settle()
    const inFlight = peer.ask({ verb: 'stats' })
    await rig.settle()
    expect(peer.answerTo(inGathering) ?? peer.answerTo(inFlight)).toBeUndefined()
    rig.store.commits.open()
    await rig.settle()
    const idle = peer.ask({ verb: 'stats' })

    expect(peer.answerTo(inGathering)).toMatchObject({ kind: 'reply', lsn: 2 })
    expect(peer.answerTo(inFlight)).toMatchObject({ kind: 'reply', lsn: 2 })
    expect(peer.answerTo(idle)).toMatchObject({ kind: 'reply', lsn: 2 }) // in the same turn
  })

  it('answers a plain heartbeat without waiting for the disk', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    const task = await claimed(peer, 1)
    rig.store.commits.shut()

    peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 2) })]))
    const beat = peer.ask(beatOf([task], 1))

    expect(peer.resultOf(beat)).toEqual({})
  })

  it('says nothing more to anybody once a commit is unknown, and reports that once', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.outcome = 'unknown'

    peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))
    await rig.settle()
    peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 2) })]))
    peer.ask({ verb: 'stats' })
    await rig.settle()

    expect(peer.heard).toEqual([])
    expect(rig.failures).toEqual(['unknown'])
    expect(rig.store.batches).toHaveLength(1)
  })

  it('ends in the same way when it has lost its ownership', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.image.takeOwnership()

    peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))
    await rig.settle()

    expect(peer.heard).toEqual([])
    expect(rig.failures).toEqual(['fenced'])
  })

  it('is full when a commit is gathered beside the one in flight', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const { commits } = rig.partition
    rig.store.commits.shut()
    const big = (number: number): void => {
      peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', number), payload: BIG })]))
    }

    big(1)
    big(2)
    expect(commits.isFull).toBe(false) // nothing is in flight yet
    await rig.settle()
    big(3)
    expect(commits.isFull).toBe(false)
    big(4)
    expect(commits.isFull).toBe(true)
    rig.store.commits.open()
    await rig.settle()

    expect(commits.isFull).toBe(false)
  })

  it('tells how long a commit has been under way', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.commits.shut()
    expect(rig.partition.commits.flyingMs).toBe(0)

    peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))
    await rig.settle()
    await rig.pass(30)

    expect(rig.partition.commits.flyingMs).toBe(30)
    rig.store.commits.open()
    await rig.settle()
    expect(rig.reports[0]?.ms).toBe(30)
  })

  it('is idle when nothing is gathered or in flight', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await rig.partition.commits.idle()
    rig.store.commits.shut()
    let isIdle = false

    peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))
    void rig.partition.commits.idle().then(() => (isIdle = true))
    await rig.settle()
    peer.ask(claimOf())
    await rig.settle()
    expect(isIdle).toBe(false)
    rig.store.commits.open()
    await rig.settle()

    expect(isIdle).toBe(true)
    expect(rig.reports).toHaveLength(2)
  })

  it('writes the counters with every commit, so that tokens never repeat', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    const [, token] = await claimed(peer, 1)
    await peer.reply(completeOf(await claimed(peer, 1)))

    const again = await rig.reopened()
    const other = again.peer('w')
    await enqueued(other, 2)
    const [, next] = await claimed(other, 1)

    expect(next).toBeGreaterThan(token)
    expect(Math.floor(next / 2 ** 32)).toBe(2)
  })
})
