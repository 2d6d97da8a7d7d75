// What is kept, for how long and how many; what goes takes all of its records along.

import type { ReplyOf, TaskIdBytes } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { PipelineRig, type Peer } from '../../test/pipeline-rig.ts'
import { claimed, completeOf, enqueued, enqueueOf, held } from '../../test/request-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'
import { type Family, familyRange } from '../storage/key.ts'

/** Records of a family on disk. */
function count(rig: PipelineRig, family: Family): number {
  return [...rig.image.entries(familyRange(family))].length
}

async function completed(peer: Peer, number: number): Promise<TaskIdBytes> {
  const id = await enqueued(peer, number)
  await peer.reply(completeOf(await claimed(peer, number)))
  return id
}

async function died(peer: Peer, number: number): Promise<TaskIdBytes> {
  const id = await enqueued(peer, number)
  const task = held(await claimed(peer, number))
  await peer.reply({
    verb: 'fail',
    tasks: [{ ...task, error: { message: 'no' }, retryable: false }],
  })
  return id
}

/** Numbers of the tasks that are kept, for ids made by number. */
async function kept(peer: Peer): Promise<number[]> {
  const { tasks } = await peer.reply<ReplyOf<'list'>>({ verb: 'list', limit: 1_000 })
  return tasks.map(({ id }) => new DataView(id.buffer, id.byteOffset).getUint32(2))
}

describe('housekeeping of ended tasks', () => {
  it('forgets nothing before it has counted', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 1 } })
    const peer = rig.peer('w')
    await completed(peer, 1)
    await completed(peer, 2)

    await rig.housekeeping.step()
    await rig.settle()

    expect(await kept(peer)).toEqual([1, 2])
    expect(rig.housekeeping.keptOf(queueOf(rig))).toEqual({ kept: null, dead: null })
  })

  it('keeps so many of a queue, and forgets the oldest, with all that belongs to them', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 2 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    for (const number of [1, 2, 3, 4, 5]) {
      await completed(peer, number)
      await rig.pass(10)
    }

    void rig.housekeeping.step()
    await rig.settle()

    expect(await kept(peer)).toEqual([4, 5])
    expect(rig.housekeeping.keptOf(queueOf(rig))).toEqual({ kept: 2, dead: 0 })
    expect((['done', 'doneByEnd', 'payload'] as const).map((name) => count(rig, name))).toEqual([
      2, 2, 2,
    ])
  })

  it('keeps them for so long', async () => {
    const rig = await PipelineRig.open({ queues: { retentionMs: 1_000 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await completed(peer, 1)
    await rig.pass(600)
    await completed(peer, 2)
    await rig.pass(600)

    void rig.housekeeping.step()
    await rig.settle()

    expect(await kept(peer)).toEqual([2])
  })

  it('counts what goes once, even if it is due again before its commit has landed (I19)', async () => {
    const rig = await PipelineRig.open({ queues: { retentionMs: 1_000 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await completed(peer, 1)
    await rig.pass(600)
    await completed(peer, 2)
    await rig.pass(600)

    await rig.housekeeping.step()
    await rig.housekeeping.step()
    await rig.settle()

    expect(await kept(peer)).toEqual([2])
    expect(rig.housekeeping.keptOf(queueOf(rig))).toEqual({ kept: 1, dead: 0 })
  })

  it('keeps dead tasks by a rule of their own', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 1, deadRetentionCount: 2 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    for (const number of [1, 2, 3]) await died(peer, number)
    for (const number of [4, 5]) await completed(peer, number)

    void rig.housekeeping.step()
    await rig.settle()

    expect(await kept(peer)).toEqual([2, 3, 5])
    expect(rig.housekeeping.keptOf(queueOf(rig))).toEqual({ kept: 1, dead: 2 })
  })

  it('forgets chapters of history as well', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 0 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await peer.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 5 } })
    await enqueued(peer, 1)
    await peer.reply({ verb: 'release', tasks: [held(await claimed(peer, 1))] })
    await peer.reply(completeOf(await claimed(peer, 2)))
    expect(count(rig, 'history')).toBe(1)
    await peer.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 0 } })

    void rig.housekeeping.step()
    await rig.settle()

    expect(count(rig, 'history')).toBe(0)
  })

  it('keeps no more of all queues together than it may, and takes from the largest', async () => {
    const rig = await PipelineRig.open({ housekeeping: { keptMax: 3 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    for (const number of [1, 2, 3, 4]) await completed(peer, number)
    const id = aTaskId('video', 9)
    await peer.reply(enqueueOf('video', [aTask({ id })]))
    await peer.reply({ verb: 'cancel', ids: [id] })

    void rig.housekeeping.step()
    await rig.settle()

    expect(await kept(peer)).toEqual(expect.arrayContaining([3, 4, 9]))
    expect(await kept(peer)).toHaveLength(3)
  })

  it('goes through more than one page, each in a commit of its own', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    for (let request = 0; request < 3; request += 1) {
      const ids = Array.from({ length: 900 }, (_, index) => aTaskId('mail', 900 * request + index))
      await peer.reply(
        enqueueOf(
          'mail',
          ids.map((id) => aTask({ id })),
        ),
      )
      await peer.reply({ verb: 'cancel', ids })
    }
    await peer.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 5 } })
    const before = rig.reports.length

    void rig.housekeeping.step()
    await rig.settle()

    expect(count(rig, 'done')).toBe(5)
    expect(rig.reports.length - before).toBe(3)
  })

  it('counts after a restart what it kept before', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    for (const number of [1, 2, 3]) await completed(peer, number)
    await died(peer, 4)
    const again = await rig.reopened({ queues: { retentionCount: 1 } })
    const other = again.peer('w')
    await other.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 1 } })

    await again.housekeeping.begin()
    expect(again.housekeeping.keptOf(queueOf(again))).toEqual({ kept: 3, dead: 1 })
    void again.housekeeping.step()
    await again.settle()

    expect(await kept(other)).toEqual([3, 4])
  })

  it('leaves a task alone that lives again since its end was read, even if it has ended anew', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 1 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    const id = await enqueued(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })
    await rig.pass(10)
    await completed(peer, 2)
    rig.store.reads.shut('doneByEnd')
    void rig.housekeeping.step() // reads that task 1 is the one too many
    await rig.settle()

    expect(await peer.reply({ verb: 'redrive', ids: [id] })).toEqual({ ok: 1 })
    await peer.reply({ verb: 'cancel', ids: [id] })
    rig.store.reads.open()
    await rig.settle()

    expect(rig.housekeeping.keptOf(queueOf(rig))).toEqual({ kept: 2, dead: 0 })
    expect(count(rig, 'done')).toBe(2)
    void rig.housekeeping.step()
    await rig.settle()
    expect(rig.housekeeping.keptOf(queueOf(rig))).toEqual({ kept: 1, dead: 0 })
    expect((['done', 'doneByEnd', 'payload'] as const).map((name) => count(rig, name))).toEqual([
      1, 1, 1,
    ])
  })

  it('lets nobody redrive what it is just forgetting', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 0 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await peer.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 5 } })
    const id = await enqueued(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })
    await peer.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 0 } })
    rig.store.commits.shut()
    void rig.housekeeping.step()
    await rig.settle()

    const redrive = peer.ask({ verb: 'redrive', ids: [id] })
    await rig.settle()
    rig.store.commits.open()
    await rig.settle()

    expect(peer.resultOf<ReplyOf<'redrive'>>(redrive).refused?.[0]?.[1]).toBe('NOT_FOUND')
    expect(rig.partition.isForgotten(Buffer.from(id).toString('hex'))).toBe(false)
  })

  it('keeps nobody in memory who ends while it waits for its commits', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 1 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    for (const number of [1, 2, 3]) await completed(peer, number)
    rig.store.commits.shut()
    const step = rig.housekeeping.step()
    await rig.settle()
    expect(rig.store.batches.at(-1)?.deleteKeys).not.toEqual([])

    let isQuiet = false
    rig.partition.fetches.whenQuiet(() => (isQuiet = true))
    expect(isQuiet).toBe(true)

    rig.store.commits.open()
    await step
    expect(await kept(peer)).toEqual([3])
  })

  it('stops when it is told to, in the midst of a step', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 1 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await completed(peer, 1)
    await completed(peer, 2)
    rig.store.reads.shut()
    const step = rig.housekeeping.step()
    await rig.settle()

    rig.housekeeping.stop()
    rig.store.reads.open()
    await step
    await rig.housekeeping.step()

    expect(await kept(peer)).toEqual([1, 2])
  })

  it('takes one step at a time', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 1 } })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    for (const number of [1, 2, 3]) await completed(peer, number)
    rig.store.reads.shut()
    void rig.housekeeping.step()
    await rig.settle()

    await rig.housekeeping.step() // over at once: another is under way
    rig.store.reads.open()
    await rig.settle()

    expect(rig.housekeeping.keptOf(queueOf(rig))).toEqual({ kept: 1, dead: 0 })
  })

  it('gives up counting when it is stopped', async () => {
    const rig = await PipelineRig.open()
    await completed(rig.peer('w'), 1)
    const again = await rig.reopened()
    again.housekeeping.stop()

    await again.housekeeping.begin()

    expect(again.housekeeping.keptOf(queueOf(again)).kept).toBeNull()
  })
})

describe('housekeeping of idempotency keys', () => {
  it('forgets a key when its window is over, whatever is kept of its task', async () => {
    const rig = await PipelineRig.open({
      queues: { retentionCount: 0 },
      housekeeping: { dedupeMs: 1_000 },
    })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await enqueued(peer, 1, { idempotencyKey: 'old' })
    await peer.reply(completeOf(await claimed(peer, 1)))
    await rig.pass(600)
    await enqueued(peer, 2, { idempotencyKey: 'young' })
    await rig.pass(600)

    void rig.housekeeping.step()
    await rig.settle()

    expect([count(rig, 'dedupe'), count(rig, 'dedupeByAge')]).toEqual([1, 1])
    const again = [
      aTask({ id: aTaskId('mail', 3), idempotencyKey: 'old' }),
      aTask({ id: aTaskId('mail', 4), idempotencyKey: 'young' }),
    ]
    const reply = await peer.reply<ReplyOf<'enqueue'>>(enqueueOf('mail', again))
    expect(reply.existing).toEqual([1])
    expect(reply.ids?.[1]).toEqual(aTaskId('mail', 2))
  })

  it('looks and goes where there are none', async () => {
    const rig = await PipelineRig.open()
    await rig.housekeeping.begin()

    await rig.housekeeping.step()
    await rig.settle()

    expect(rig.reports).toEqual([])
  })
})

describe('housekeeping while the wall clock steps', () => {
  const DAY_MS = 86_400_000
  const SETTINGS = { queues: { retentionMs: 1_000, deadRetentionMs: 1_000 } } as const
  const HOUSE = { housekeeping: { dedupeMs: 1_000 } } as const

  /** An idempotency key, a completed and a dead task, half a second old. */
  async function aKeeper(): Promise<PipelineRig> {
    const rig = await PipelineRig.open({ ...SETTINGS, ...HOUSE })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await enqueued(peer, 1, { idempotencyKey: 'key' })
    await peer.reply(completeOf(await claimed(peer, 1)))
    await died(peer, 2)
    await rig.housekeeping.step()
    await rig.pass(500)
    return rig
  }

  async function keptAfterStep(rig: PipelineRig): Promise<number[]> {
    void rig.housekeeping.step()
    await rig.settle()
    return (['dedupe', 'dedupeByAge', 'done', 'doneByEnd'] as const).map((name) => count(rig, name))
  }

  it('forgets nothing because it was set ahead, not even after a restart', async () => {
    const rig = await aKeeper()

    rig.wallOffsetMs = 3_650 * DAY_MS

    expect(await keptAfterStep(rig)).toEqual([1, 1, 2, 2])
    const again = await rig.reopened({ ...SETTINGS, ...HOUSE })
    again.wallOffsetMs = 3_650 * DAY_MS
    await again.housekeeping.begin()
    expect(await keptAfterStep(again)).toEqual([1, 1, 2, 2])
    await again.pass(1_200)
    expect(await keptAfterStep(again)).toEqual([0, 0, 0, 0])
  })

  it('forgets nothing because it was set ahead before the first look', async () => {
    const rig = await PipelineRig.open({ ...SETTINGS, ...HOUSE })
    await enqueued(rig.peer('w'), 1, { idempotencyKey: 'key' })

    rig.wallOffsetMs = DAY_MS
    await rig.housekeeping.begin()

    expect((await keptAfterStep(rig)).slice(0, 2)).toEqual([1, 1])
  })

  it('forgets nothing because it was set ahead while the broker was down', async () => {
    const rig = await aKeeper()

    const again = await rig.reopened({ ...SETTINGS, ...HOUSE })
    again.wallOffsetMs = DAY_MS
    await again.housekeeping.begin()

    expect(await keptAfterStep(again)).toEqual([1, 1, 2, 2])
  })

  it('forgets nothing that was written while it was set back', async () => {
    const rig = await PipelineRig.open({ ...SETTINGS, ...HOUSE })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await rig.housekeeping.step()
    await rig.pass(500)
    rig.wallOffsetMs = -DAY_MS
    await enqueued(peer, 1, { idempotencyKey: 'key' })
    await rig.housekeeping.step()
    await rig.pass(500)

    rig.wallOffsetMs = 0

    expect((await keptAfterStep(rig)).slice(0, 2)).toEqual([1, 1])
  })

  it('forgets nothing that was written while it was set back for less than the time between two looks (I6)', async () => {
    const rig = await PipelineRig.open({ ...SETTINGS, ...HOUSE })
    const peer = rig.peer('w')
    await rig.housekeeping.begin()
    await rig.housekeeping.step()
    await rig.pass(500)

    rig.wallOffsetMs = -DAY_MS
    await enqueued(peer, 1, { idempotencyKey: 'key' })
    rig.wallOffsetMs = 0

    expect((await keptAfterStep(rig)).slice(0, 2)).toEqual([1, 1])
    await rig.pass(1_200)
    expect((await keptAfterStep(rig)).slice(0, 2)).toEqual([0, 0])
  })

  it('forgets nothing that was written while it was set back before the first look (I6)', async () => {
    const rig = await PipelineRig.open({ ...SETTINGS, ...HOUSE })
    rig.wallOffsetMs = -DAY_MS
    await enqueued(rig.peer('w'), 1, { idempotencyKey: 'key' })
    rig.wallOffsetMs = 0
    await rig.housekeeping.begin()

    expect((await keptAfterStep(rig)).slice(0, 2)).toEqual([1, 1])
  })

  it('forgets what is old all the same', async () => {
    const rig = await aKeeper()
    rig.wallOffsetMs = -DAY_MS
    await rig.housekeeping.step()
    rig.wallOffsetMs = 0
    await rig.housekeeping.step()

    await rig.pass(1_200)

    expect(await keptAfterStep(rig)).toEqual([0, 0, 0, 0])
  })
})

describe('housekeeping of the journal', () => {
  it('trims what is too old, and says on disk where the rest begins', async () => {
    const before = await PipelineRig.open()
    for (const number of [1, 2, 3]) await enqueued(before.peer('w'), number)
    const rig = await before.reopened({ journal: { ageMsMax: 1_000 } })
    await rig.housekeeping.begin()
    await rig.pass(2_000, 500)
    await enqueued(rig.peer('w'), 4)

    void rig.housekeeping.step()
    await rig.settle()

    expect(count(rig, 'journal')).toBe(2) // the last enqueue, and the trimming itself
    expect(rig.partition.journal.fromLsn).toBe(4)
    const again = await rig.reopened() // the start checks that there are no holes
    expect(again.partition.journal.fromLsn).toBe(4)
  })

  it('gives up looking through it when it is stopped', async () => {
    const before = await PipelineRig.open()
    await enqueued(before.peer('w'), 1)
    const rig = await before.reopened()
    rig.store.reads.shut('journal')
    const begun = rig.housekeeping.begin()
    await rig.settle()

    rig.housekeeping.stop()
    rig.store.reads.open()
    await begun

    expect(rig.partition.journal.bytes).toBe(0)
  })
})

function queueOf(rig: PipelineRig): never {
  return rig.partition.state.queuesByName.get('mail') as never
}
