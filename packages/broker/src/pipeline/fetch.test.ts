// What is sent again or has ended: one effect, whatever memory and disk still hold.

import type { ReplyOf, RequestOf } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import { claimed, completeOf, enqueued, enqueueOf, held } from '../../test/request-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'
import { hashesOf } from './fetch.ts'

type EnqueueReply = ReplyOf<'enqueue'>

/** An enqueue of task `number` that may have been sent before. */
function again(number: number, more: Partial<RequestOf<'enqueue'>> = {}): RequestOf<'enqueue'> {
  const task = aTask({ id: aTaskId('mail', number) })
  return enqueueOf('mail', [task], { fresh: false, sentAgoMs: 100, ...more })
}

describe('an enqueue that is sent again', () => {
  it('finds its task whether it lives, has ended, or nothing is kept of it', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    expect(await peer.reply<EnqueueReply>(again(1))).toEqual({ count: 1, existing: [0] })
    await peer.reply(completeOf(await claimed(peer, 1)))
    expect(await peer.reply<EnqueueReply>(again(1))).toEqual({ count: 1, existing: [0] })

    await peer.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 0 } })
    await enqueued(peer, 2)
    await peer.reply(completeOf(await claimed(peer, 2)))

    expect(await peer.reply<EnqueueReply>(again(2))).toEqual({ count: 1, existing: [0] })
    expect(rig.partition.state.liveCount).toBe(0)
  })

  it('makes its task if it never arrived before', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await enqueued(peer, 1)

    expect(await peer.reply<EnqueueReply>(again(2))).toEqual({ count: 1 })
    expect(rig.partition.state.liveCount).toBe(2)
  })

  it('makes one task of two that are on their way at once', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 0 } })
    const [one, other, worker] = [rig.peer('a'), rig.peer('b'), rig.peer('w')]
    await enqueued(worker, 9)
    await peerDone(worker, 1)
    rig.store.reads.shut()
    const first = one.ask(again(1))
    const second = other.ask(again(1))
    await rig.settle()
    rig.store.reads.open()
    await rig.settle()

    const replies = [one.resultOf(first), other.resultOf(second)]
    expect(replies).toEqual([{ count: 1 }, { count: 1, existing: [0] }])
  })

  it('finds its task though it ended, and left memory, while the disk was read', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 0 } })
    const [producer, worker, reader] = [rig.peer('p'), rig.peer('w'), rig.peer('r')]
    await enqueued(producer, 1)
    rig.store.reads.shut('done')
    reader.ask(again(50)) // somebody reads: what has ended stays in memory for now
    await worker.reply(completeOf(await claimed(worker, 1)))

    const tasks = [1, 2].map((number) => aTask({ id: aTaskId('mail', number) }))
    const request = producer.ask(enqueueOf('mail', tasks, { fresh: false, sentAgoMs: 100 }))
    await rig.settle()
    rig.store.reads.open()
    await rig.settle()

    expect(producer.resultOf(request)).toEqual({ count: 2, existing: [0] })
  })

  it('does not trust a first sending that may come late, over an older connection', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 0 } })
    const [before, after, worker] = [rig.peer('p'), rig.peer('p'), rig.peer('w')]
    await after.reply(again(1))
    await peerDone(worker, 1)

    const late = await before.reply<EnqueueReply>(again(1, { fresh: true }))

    expect(late).toEqual({ count: 1, existing: [0] })
    expect(rig.partition.state.liveCount).toBe(0)
  })

  it('is told if nobody can tell any more', async () => {
    const before = await PipelineRig.open()
    await enqueued(before.peer('p'), 1)
    const rig = await before.reopened({ journal: { ageMsMax: 1_000 } })
    const peer = rig.peer('p')
    await rig.housekeeping.begin()
    await rig.pass(5_000, 1_000)
    await enqueued(peer, 2)
    void rig.housekeeping.step() // the journal of the first run goes
    await rig.settle()

    const error = await peer.refusal(again(99))
    const nameless = enqueueOf('mail', [aTask()], { fresh: false })

    expect(error.code).toBe('OUTCOME_UNKNOWN')
    // The broker makes this id itself: nobody has sent it before.
    expect((await peer.reply<EnqueueReply>(nameless)).ids).toHaveLength(1)
  })

  it('believes the clock inside the id if the sender does not say how long ago it sent it', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const { sentAgoMs: _, ...request } = again(1)

    expect(await peer.reply<EnqueueReply>(request)).toEqual({ count: 1 })
    expect(await peer.reply<EnqueueReply>(request)).toEqual({ count: 1, existing: [0] })
  })

  it('is refused for now if the store cannot be read', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.failsReads = true

    const error = await peer.refusal(again(1))
    rig.store.failsReads = false

    expect(error.code).toBe('UNAVAILABLE')
    expect(await peer.reply<EnqueueReply>(again(1))).toEqual({ count: 1 })
  })
})

describe('an idempotency key', () => {
  const keyed = (number: number, payload = 1): RequestOf<'enqueue'> =>
    enqueueOf('mail', [
      aTask({
        id: aTaskId('mail', number),
        payload: Uint8Array.of(payload),
        idempotencyKey: 'k',
        headers: { b: '1', a: '2' },
      }),
    ])

  it('names its one task from the moment of the enqueue, over commits and restarts', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const expected = { count: 1, existing: [0], ids: [aTaskId('mail', 1)] }
    rig.store.commits.shut()
    peer.ask(keyed(1))
    const second = peer.ask(keyed(2))
    await rig.settle()
    rig.store.commits.open()
    await rig.settle()

    expect(peer.resultOf(second)).toEqual(expected)
    expect(await peer.reply(keyed(3))).toEqual(expected)
    const reopened = await rig.reopened()
    expect(await reopened.peer('p').reply(keyed(4))).toEqual(expected)
  })

  it('refuses another request under the same key', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await peer.reply(keyed(1))

    expect((await peer.refusal(keyed(2, 7))).code).toBe('CONFLICT')
  })

  it('names one task of two that are asked for at once', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await enqueued(peer, 9)
    rig.store.reads.shut()
    const first = peer.ask(keyed(1))
    const second = peer.ask(keyed(2))
    await rig.settle()
    rig.store.reads.open()
    await rig.settle()

    expect(peer.resultOf(first)).toEqual({ count: 1 })
    expect(peer.resultOf<EnqueueReply>(second).ids).toEqual([aTaskId('mail', 1)])
  })

  it('is the same request in whatever order its options come', () => {
    const options = { idempotencyKey: 'k', headers: { a: '1', b: '2' }, priority: 3 }
    const turned = { priority: 3, headers: { b: '2', a: '1' }, idempotencyKey: 'k' }
    const one = hashesOf(enqueueOf('mail', [aTask(options)]))
    const other = hashesOf(enqueueOf('mail', [aTask(turned)]))

    expect(one).toEqual(other)
    expect(hashesOf(enqueueOf('mail', [aTask({ ...options, priority: 4 })]))).not.toEqual(one)
    expect(hashesOf(enqueueOf('mail', [aTask()]))).toEqual([undefined])
  })

  it('is of the same request whether an option has its default or is left out (I6)', () => {
    const [plain] = hashesOf(enqueueOf('mail', [aTask({ idempotencyKey: 'k' })]))
    const defaults = { priority: 128, delayMs: 0, requires: {}, headers: {}, retry: {} }
    const explicit = hashesOf(enqueueOf('mail', [aTask({ idempotencyKey: 'k', ...defaults })]))
    const other = hashesOf(enqueueOf('mail', [aTask({ idempotencyKey: 'k', delayMs: 1 })]))

    expect(explicit).toEqual([plain])
    expect(other).not.toEqual([plain])
  })
})

describe('a verb over tasks that may have ended', () => {
  it('tells a completion that is sent again that it has happened already', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    const task = await claimed(peer, 1)
    await peer.reply(completeOf(task))

    expect(await peer.reply(completeOf(task))).toEqual({ ok: 0, already: [0] })
  })

  it('does not know the end of what is not kept', async () => {
    const rig = await PipelineRig.open({ queues: { retentionCount: 0 } })
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    const task = held(await claimed(peer, 1))
    await peer.reply(completeOf(task))

    const reply = await peer.reply<ReplyOf<'release'>>({ verb: 'release', tasks: [task] })

    expect(reply.refused?.[0]?.[1]).toBe('NOT_FOUND')
  })

  it('redrives once, however often it is asked at the same time', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const id = await enqueued(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })
    rig.store.reads.shut()
    const asked = [1, 2].map(() => peer.ask({ verb: 'redrive', ids: [id] }))
    await rig.settle()
    rig.store.reads.open()
    await rig.settle()

    const [first, second] = asked.map((request) => peer.resultOf<ReplyOf<'redrive'>>(request))
    expect(first).toEqual({ ok: 1 })
    expect(second?.refused?.[0]?.[1]).toBe('INVALID_STATE')
  })

  it('is refused while the broker stops, if its read ends only then', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const id = await enqueued(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })
    rig.store.reads.shut()
    const redrive = peer.ask({ verb: 'redrive', ids: [id] })
    rig.pipeline.stop()
    rig.store.reads.open()
    await rig.settle()

    expect(() => peer.resultOf(redrive)).toThrow('the broker is stopping')
  })
})

async function peerDone(peer: Parameters<typeof claimed>[0], claim: number): Promise<void> {
  await peer.reply(completeOf(await claimed(peer, claim)))
}
