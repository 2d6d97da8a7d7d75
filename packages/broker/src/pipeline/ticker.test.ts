// Time becomes commands: in time, one step at a time, and at nobody's cost.

import { describe, expect, it } from 'vitest'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import { beatOf, claimed, enqueued, enqueueOf } from '../../test/request-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'

const REGISTER = { verb: 'register', name: 'w', version: '1', labels: {}, slots: 9 } as const

describe('the ticker', () => {
  it('wakes a delayed task when it is due, not before', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    rig.ticker.start()
    await enqueued(peer, 1, { delayMs: 2_000 })
    const { queuesByName } = rig.partition.state

    await rig.pass(1_990, 10)
    expect(queuesByName.get('mail')?.countOf('scheduled')).toBe(1)
    await rig.pass(520, 10) // a tick that was set before the enqueue may come first

    expect(queuesByName.get('mail')?.countOf('queued')).toBe(1)
  })

  it('looks exactly when the next thing is due', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1, { delayMs: 123 })
    rig.ticker.start()
    const { queuesByName } = rig.partition.state

    await rig.pass(122, 1)
    expect(queuesByName.get('mail')?.countOf('queued')).toBe(0)
    await rig.pass(1, 1)

    expect(queuesByName.get('mail')?.countOf('queued')).toBe(1)
  })

  it('goes on at once while there is more to do', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    for (let request = 0; request < 3; request += 1) {
      const tasks = Array.from({ length: 1_000 }, (_, index) =>
        aTask({ id: aTaskId('mail', 1 + index + 1_000 * request), delayMs: 50 }),
      )
      await peer.reply(enqueueOf('mail', tasks))
    }
    rig.ticker.start()

    await rig.pass(50, 10)

    expect(rig.partition.state.queuesByName.get('mail')?.countOf('queued')).toBe(3_000)
  })

  it('ends a lease that nobody renews, and leaves one alone that is renewed', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    await enqueued(peer, 2)
    await claimed(rig.peer('silent'), 1, { leaseMs: 1_000 })
    const kept = await claimed(peer, 1, { leaseMs: 1_000 })
    rig.ticker.start()

    for (let beat = 0; beat < 4; beat += 1) {
      await rig.pass(500)
      await peer.reply(beatOf([kept], 0))
    }

    const { leases, leaseEnds } = rig.partition.state
    expect(leases.count).toBe(1)
    expect(leases.token(leaseEnds.first())).toBe(kept[1])
  })

  it('lets no worker pay for a stall of the broker', async () => {
    const rig = await PipelineRig.open({ engine: { workerDeadMs: 1_500 } })
    const peer = rig.peer('w')
    await peer.reply(REGISTER)
    await enqueued(peer, 1)
    await claimed(peer, 1, { leaseMs: 1_000 })
    rig.ticker.start()
    await rig.pass(100)

    rig.standStill(60_000)
    await rig.pass(400)

    expect(rig.stalls).toHaveLength(1)
    expect(rig.stalls[0]).toBeGreaterThan(59_000)
    expect(rig.partition.state.leases.count).toBe(1)
    await rig.pass(3_000)
    expect(rig.partition.state.leases.count).toBe(0)
  })

  it('takes a short delay for what it is', async () => {
    const rig = await PipelineRig.open()
    rig.ticker.start()
    await rig.pass(100)

    rig.standStill(400)
    await rig.pass(600)

    expect(rig.stalls).toEqual([])
  })

  it('keeps house once a second', async () => {
    const rig = await PipelineRig.open({ queues: { retentionMs: 500 } })
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })
    await rig.housekeeping.begin()
    rig.ticker.start()

    await rig.pass(2_100, 100)

    expect((await peer.refusal({ verb: 'get', id, payload: false })).code).toBe('NOT_FOUND')
  })

  it('survives a store that cannot be read for a while', async () => {
    const rig = await PipelineRig.open({ queues: { retentionMs: 500 } })
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })
    await rig.housekeeping.begin()
    rig.store.failsReads = true
    rig.ticker.start()
    await rig.pass(3_000, 100)

    rig.store.failsReads = false
    await rig.pass(1_100, 100)

    expect((await peer.refusal({ verb: 'get', id, payload: false })).code).toBe('NOT_FOUND')
  })

  it('writes the clock down when nothing else is written', async () => {
    const rig = await PipelineRig.open()
    rig.ticker.start()
    await rig.pass(59_000, 500)
    expect(rig.reports).toEqual([])

    await rig.pass(62_000, 500)
    const written = rig.reports.length
    await enqueued(rig.peer('p'), 1)
    await rig.pass(60_000, 500)
    const again = await rig.reopened()

    expect(written).toBeGreaterThan(0)
    expect(again.partition.now().tickMs).toBeGreaterThan(100_000)
  })

  it('stands still with the requests that wait for room, and ends nothing meanwhile', async () => {
    const rig = await PipelineRig.open()
    const [worker, producer] = [rig.peer('w'), rig.peer('p')]
    await enqueued(worker, 1)
    const task = await claimed(worker, 1, { leaseMs: 1_000 })
    rig.ticker.start()
    await rig.pass(500)
    rig.store.commits.shut()
    const big = new Uint8Array(700_000)
    for (const number of [2, 3, 4, 5]) {
      producer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', number), payload: big })]))
      await rig.settle()
    }
    worker.ask(beatOf([task], 1)) // waits behind what is too much
    await rig.pass(30_000, 500)
    expect(rig.partition.state.leases.count).toBe(1)

    rig.store.commits.open()
    await rig.settle()
    await rig.pass(900, 100)

    expect(rig.partition.state.leases.count).toBe(1)
    expect(worker.isReading).toBe(true)
  })

  it('does nothing before its start and after its end', async () => {
    const rig = await PipelineRig.open()
    await enqueued(rig.peer('w'), 1, { delayMs: 10 })
    rig.ticker.stop()
    await rig.pass(2_000, 100)
    expect(rig.partition.state.scheduled.size).toBe(1)

    rig.ticker.start()
    rig.ticker.stop()
    await rig.pass(2_000, 100)

    expect(rig.partition.state.scheduled.size).toBe(1)
  })
})
