// Requests from their arrival to their answer, with room and without, well and after a failure.

import type { Request, ReplyOf } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import {
  beatOf,
  claimed,
  claimOf,
  completeOf,
  enqueued,
  enqueueOf,
  held,
} from '../../test/request-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'

const BIG = new Uint8Array(700_000)

describe('the pipeline', () => {
  it('carries every verb through to its answer', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const register = { verb: 'register', name: 'w', version: '1', labels: {}, slots: 2 } as const
    const ids = [await enqueued(peer, 1), await enqueued(peer, 2)] as const
    const task = held(await claimed(peer, 1, { start: false }))
    const progress = { ...task, percent: 10, note: 'on it' }
    const error = { message: 'no' }

    const asked: readonly (readonly [Request, unknown])[] = [
      [{ verb: 'ping' }, { wallMs: expect.any(Number) }],
      [{ verb: 'abort', id: 77 }, { aborted: false }],
      [register, { worker: peer.session }],
      [{ verb: 'start', tasks: [task] }, { ok: 1 }],
      [{ verb: 'progress', tasks: [progress] }, { ok: 1 }],
      [beatOf([task], 1), {}],
      [{ verb: 'set-priority', ids: [ids[1]], priority: 9 }, { ok: 1 }],
      [
        { verb: 'fail', tasks: [{ ...task, error }] },
        { ok: 1, outcomes: [['retrying', expect.any(Number)]] },
      ],
      [
        { verb: 'release', tasks: [task] },
        { ok: 0, refused: [[0, 'STALE_LEASE', expect.any(String)]] },
      ],
      [
        { verb: 'cancel', ids: [ids[0]] },
        { ok: 1, outcomes: ['cancelled'] },
      ],
      [{ verb: 'redrive', ids: [ids[0]] }, { ok: 1 }],
      [{ verb: 'queue-pause', queue: 'mail' }, { changed: true }],
      [{ verb: 'queue-resume', queue: 'mail' }, { changed: true }],
      [
        { verb: 'queue-purge', queue: 'mail' },
        { purged: 2, cursor: null },
      ],
      [{ verb: 'leave' }, { released: 0 }],
    ]
    for (const [request, result] of asked) expect(await peer.reply(request)).toEqual(result)
    const settings = { maxAttempts: 2 }
    const set = await peer.reply<ReplyOf<'queue-set'>>({ verb: 'queue-set', queue: 'a', settings })

    expect(set.settings.maxAttempts).toBe(2)
    expect(rig.answered).toContain('redrive OK')
  })

  it('refuses a second hello, and a request id that waits for its answer', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const client = { name: 'x', version: '1' }
    const parked = peer.ask(claimOf({ waitMs: 1_000 }))

    expect((await peer.refusal({ verb: 'hello', protocol: 1, client })).code).toBe('BAD_REQUEST')
    rig.pipeline.receive(peer.conversation, parked, { verb: 'ping' })

    expect(() => peer.resultOf(parked)).toThrow('still outstanding')
  })

  it('lets a bug of its own through to whoever can end the process', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const broken = { verb: 'complete', tasks: undefined } as never

    expect(() => peer.ask(broken)).toThrow(TypeError)
  })

  it('gives an id to each task that came without one, and tells which', async () => {
    const rig = await PipelineRig.open()
    const id = aTaskId('mail', 1)

    const reply = await rig
      .peer('p')
      .reply<ReplyOf<'enqueue'>>(enqueueOf('mail', [aTask(), aTask({ id }), aTask()]))

    expect(reply.count).toBe(3)
    expect(reply.ids?.[1]).toEqual(id)
    expect(new Set(reply.ids?.map((one) => Buffer.from(one).toString('hex'))).size).toBe(3)
  })

  it('takes all tasks of a request or none', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const tasks = [aTask({ id: aTaskId('mail', 1) }), aTask({ id: aTaskId('video', 2) })]

    const error = await peer.refusal(enqueueOf('mail', tasks))

    expect(error.code).toBe('BAD_REQUEST')
    expect(rig.partition.state.liveCount).toBe(0)
    expect(rig.reports).toEqual([])
  })

  it('lets requests wait that find no room, goes on in order, and reads on from everybody', async () => {
    const rig = await PipelineRig.open()
    const peers = [rig.peer('a'), rig.peer('b'), rig.peer('c')]
    rig.store.commits.shut()
    const big = (number: number): Request =>
      enqueueOf('mail', [aTask({ id: aTaskId('mail', number), payload: BIG })])
    const first = peers[0]?.ask(big(1)) as number
    await rig.settle()
    for (const [index, peer] of peers.entries()) peer.ask(big(10 + index))
    const beyond = peers.map((peer, index) => peer.ask(big(20 + index)))

    expect(peers.map(({ isReading }) => isReading)).toEqual([false, false, false])
    expect(peers[0]?.answerTo(first)).toBeUndefined()
    rig.store.commits.open()
    await rig.settle()

    expect(peers.map(({ isReading }) => isReading)).toEqual([true, true, true])
    for (const [index, peer] of peers.entries())
      expect(peer.resultOf(beyond[index] as number)).toEqual({ count: 1 })
    const { tasks } = await rig.peer('w').reply<ReplyOf<'claim'>>(claimOf({ max: 9 }))
    expect(tasks.map(([id]) => new DataView(id.buffer, id.byteOffset).getUint32(2))).toEqual([
      1, 10,
    ])
  })

  it('does not carry out what a connection asked for that is gone by then', async () => {
    const rig = await PipelineRig.open()
    const [gone, other] = [rig.peer('gone'), rig.peer('other')]
    rig.store.commits.shut()
    for (const number of [1, 2, 3]) {
      other.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', number), payload: BIG })]))
      await rig.settle()
    }
    gone.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 9) })]))

    gone.leave()
    rig.store.commits.open()
    await rig.settle()

    expect(rig.partition.state.index.find(aTaskId('mail', 9))).toBeUndefined()
  })

  it('lets what was read from disk wait for room as well', async () => {
    const rig = await PipelineRig.open()
    const [peer, other] = [rig.peer('p'), rig.peer('other')]
    await enqueued(peer, 1)
    rig.store.reads.shut()
    const id = aTaskId('mail', 50)
    const late = peer.ask(enqueueOf('mail', [aTask({ id })], { fresh: false, sentAgoMs: 1 }))
    await rig.settle()
    rig.store.commits.shut()
    for (const number of [2, 3, 4]) {
      other.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', number), payload: BIG })]))
      await rig.settle()
    }

    rig.store.reads.open()
    await rig.settle()
    expect(rig.partition.state.index.find(id)).toBeUndefined()
    rig.store.commits.open()
    await rig.settle()

    expect(peer.resultOf(late)).toEqual({ count: 1 })
    expect([peer.isReading, other.isReading]).toEqual([true, true])
  })

  it('tells of released leases in a heartbeat when that is durable', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    await claimed(peer, 1)
    rig.store.commits.shut()

    const beat = peer.ask(beatOf([], 1))
    await rig.settle()
    expect(peer.answerTo(beat)).toBeUndefined()
    rig.store.commits.open()
    await rig.settle()

    expect(peer.resultOf(beat)).toEqual({ stop: [], released: 1 })
  })

  it('names in a heartbeat what must stop', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    const task = await claimed(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })
    const unknown = { id: aTaskId('mail', 9), token: 5 }

    const reply = await peer.reply<ReplyOf<'heartbeat'>>(beatOf([task, unknown], 1))

    expect(reply.stop?.map(([, token, reason]) => [token, reason])).toEqual([
      [task[1], 'cancelled'],
      [5, 'unknown'],
    ])
  })

  it('refuses to hear for a session of somebody else', async () => {
    const rig = await PipelineRig.open()
    const alice = rig.peer('w', 'alice')
    const mallory = rig.peer('m', 'mallory')
    await enqueued(alice, 1)
    const task = await claimed(alice, 1)

    const beat = { ...beatOf([task]), session: alice.session }
    expect((await mallory.refusal(beat)).code).toBe('FORBIDDEN')
    expect(() => rig.peer('w', 'mallory')).toThrow('another principal')
  })

  it('falls silent when the partition has failed', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    const parked = peer.ask(claimOf({ waitMs: 10 }))
    rig.pipeline.silence()

    await rig.pass(20)
    peer.ask({ verb: 'ping' })

    expect(peer.answerTo(parked)).toBeUndefined()
    expect(peer.heard).toEqual([])
  })

  it('carries nothing out any more when it is stopped', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.pipeline.stop()

    const error = await peer.refusal(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))

    expect(error.code).toBe('UNAVAILABLE')
    expect(error.retryAfterMs).toBe(1_000)
    expect(rig.partition.state.liveCount).toBe(0)
  })

  it('makes the acknowledged outlive a crash, and the rest come or not as a whole', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await enqueued(peer, 1)
    rig.store.commits.shut()
    const tasks = [2, 3].map((number) => aTask({ id: aTaskId('mail', number) }))
    peer.ask(enqueueOf('mail', tasks))
    await rig.settle()

    const again = await rig.reopened()

    expect(again.partition.state.liveCount).toBe(1)
    expect(await again.peer('w').reply(completeOf(await claimed(again.peer('w'), 1)))).toEqual({
      ok: 1,
    })
  })
})
