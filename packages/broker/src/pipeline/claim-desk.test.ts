// Claims: served at once, parked, re-sent, and with payloads that are on disk or damaged.

import type { ClaimedTask, ReplyOf, TaskIdBytes } from '@tq/core'
import { describe, expect, it, vi } from 'vitest'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import {
  beatOf,
  claimed,
  claimOf,
  completeOf,
  enqueued,
  enqueueOf,
} from '../../test/request-builder.ts'
import { aSession, aTask, aTaskId } from '../../test/task-builder.ts'
import { sessionKey } from '../engine/session.ts'
import { taskKey } from '../storage/key.ts'

type ClaimReply = ReplyOf<'claim'>

const PAYLOAD = Uint8Array.of(4, 5, 6)

/** Damages the payload of a task on disk. */
function damage(rig: PipelineRig, id: TaskIdBytes): void {
  const key = taskKey('payload', id)
  const value = rig.image.get(key)
  if (value === undefined) throw new Error('there is no payload to damage')
  value[value.length - 1] = (value[value.length - 1] ?? 0) ^ 1
  rig.image.tamper(key, value)
}

describe('the claim desk', () => {
  it('hands out what is ready, with all that a worker needs', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const trace = { traceparent: '00-1-2-01' }
    const wish = { payload: PAYLOAD, headers: { lang: 'de' }, trace, priority: 200 }
    const id = await enqueued(peer, 1, { ...wish, timeoutMs: 5_000 })

    const reply = await peer.reply<ClaimReply>(claimOf({ leaseMs: 9_000 }))

    expect(reply.leaseMs).toBe(9_000)
    const [[gotId, token, queue, type, attempt, payload, extra]] = reply.tasks as [ClaimedTask]
    expect(gotId).toEqual(id)
    expect(token).toBe(2 ** 32 + 1)
    expect([queue, type, attempt]).toEqual(['mail', 'send', 1])
    expect(payload).toEqual(PAYLOAD)
    expect(extra).toEqual({ timeoutMs: 5_000, priority: 200, headers: { lang: 'de' }, trace })
  })

  it('answers empty at once if nobody is to wait, or waits for as long as it was asked', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')

    expect(await peer.reply(claimOf())).toEqual({ tasks: [], leaseMs: 0 })
    const parked = peer.ask(claimOf({ claim: 2, waitMs: 1_000 }))
    await rig.pass(999)
    expect(peer.answerTo(parked)).toBeUndefined()
    expect(rig.pipeline.parkedClaims).toBe(1)
    await rig.pass(1)

    expect(peer.resultOf(parked)).toEqual({ tasks: [], leaseMs: 0 })
    expect(rig.pipeline.parkedClaims).toBe(0)
  })

  it('serves a parked claim in the commit of the enqueue that wakes it', async () => {
    const rig = await PipelineRig.open()
    const [worker, producer] = [rig.peer('w'), rig.peer('p')]
    const parked = worker.ask(claimOf({ waitMs: 30_000 }))
    await rig.settle()

    const enqueue = producer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))
    await rig.settle()

    expect(worker.resultOf<ClaimReply>(parked).tasks).toHaveLength(1)
    expect(rig.reports).toHaveLength(1)
    expect(worker.answerTo(parked)).toMatchObject({ lsn: 1 })
    expect(producer.answerTo(enqueue)).toMatchObject({ lsn: 1 })
  })

  it('serves who has waited longest, and only as far as the work goes', async () => {
    const rig = await PipelineRig.open()
    const peers = ['a', 'b', 'c'].map((name) => rig.peer(name))
    const parked = peers.map((peer) => peer.ask(claimOf({ waitMs: 30_000 })))
    await rig.settle()

    const tasks = [1, 2].map((number) => aTask({ id: aTaskId('mail', number) }))
    await rig.peer('p').reply(enqueueOf('mail', tasks))

    expect(peers.map((peer, index) => peer.answerTo(parked[index] as number)?.kind)).toEqual([
      'reply',
      'reply',
      undefined,
    ])
  })

  it('passes by who may not run what is ready', async () => {
    const rig = await PipelineRig.open()
    const [plain, able] = [rig.peer('plain'), rig.peer('able')]
    const labels = { gpu: true }
    await able.reply({ verb: 'register', name: 'able', version: '1', labels, slots: 1 })
    const first = plain.ask(claimOf({ waitMs: 30_000 }))
    const second = able.ask(claimOf({ waitMs: 30_000 }))

    await enqueued(rig.peer('p'), 1, { requires: labels })

    expect(plain.answerTo(first)).toBeUndefined()
    expect(able.resultOf<ClaimReply>(second).tasks).toHaveLength(1)
  })

  it('does not try claims that cannot take what came, however many of them wait', async () => {
    const rig = await PipelineRig.open()
    const choosy = rig.peer('choosy')
    for (let claim = 1; claim <= 200; claim += 1) {
      choosy.ask(claimOf({ claim, minPriority: 200, waitMs: 30_000 }))
    }
    const modest = rig.peer('modest')
    const parked = modest.ask(claimOf({ waitMs: 30_000 }))
    await rig.settle()
    const step = vi.spyOn(rig.partition, 'step')

    await enqueued(rig.peer('p'), 1)
    await enqueued(rig.peer('p'), 2)

    expect(step.mock.calls.filter(([command]) => command.kind === 'claim')).toHaveLength(1)
    expect(modest.resultOf<ClaimReply>(parked).tasks).toHaveLength(1)
    expect(rig.pipeline.parkedClaims).toBe(200)
  })

  it('looks at workers together whose labels differ in what no task asks for', async () => {
    const rig = await PipelineRig.open()
    for (let host = 1; host <= 100; host += 1) {
      const worker = rig.peer(`w${host}`)
      const labels = { host: `h${host}` }
      worker.ask({ verb: 'register', name: `w${host}`, version: '1', labels, slots: 1 })
      worker.ask(claimOf({ waitMs: 30_000 }))
    }
    const producer = rig.peer('p')
    await enqueued(producer, 1, { requires: { gpu: true } })
    const looks = vi.spyOn(rig.partition.state.sessionsByKey, 'get')

    await enqueued(producer, 2, { requires: { gpu: true } })
    expect(looks.mock.calls.length).toBeLessThan(10)

    // A task that asks for a host sets its worker apart; the others go on in their order.
    await enqueued(producer, 3, { requires: { host: 'h7' } })
    expect(rig.partition.state.leases.count).toBe(1)
    await enqueued(producer, 4, { requires: { host: 'h7' } })
    expect(rig.partition.state.leases.count).toBe(1)
    await producer.reply(
      enqueueOf(
        'mail',
        [5, 6].map((number) => aTask({ id: aTaskId('mail', number) })),
      ),
    )

    const holders = ['w1', 'w2', 'w7'].map((name) => sessionKey(aSession(name).id))
    const { sessionsByKey } = rig.partition.state
    expect(holders.map((key) => sessionsByKey.get(key)?.leaseCount)).toEqual([1, 1, 1])
  })

  it('looks at a parked claim again when its worker has got other labels', async () => {
    const rig = await PipelineRig.open()
    const worker = rig.peer('w')
    const register = { verb: 'register', name: 'w', version: '1', slots: 1 } as const
    await worker.reply({ ...register, labels: {} })
    const parked = [1, 2].map((claim) => worker.ask(claimOf({ claim, waitMs: 30_000 })))
    await enqueued(rig.peer('p'), 1, { requires: { gpu: true } })
    expect(worker.answerTo(parked[0] as number)).toBeUndefined()

    await worker.reply({ ...register, labels: { gpu: true } })
    expect(worker.resultOf<ClaimReply>(parked[0] as number).tasks).toHaveLength(1)
    await enqueued(rig.peer('p'), 2, { requires: { gpu: true } })

    expect(worker.resultOf<ClaimReply>(parked[1] as number).tasks).toHaveLength(1)
  })

  it('takes what it does for a parked claim for no sign of life', async () => {
    const rig = await PipelineRig.open()
    const worker = rig.peer('w')
    const labels = {}
    await worker.reply({ verb: 'register', name: 'w', version: '1', labels, slots: 1 })
    worker.ask(claimOf({ leaseMs: 60_000, waitMs: 30_000 }))
    rig.ticker.start()
    await rig.pass(10_000)
    await enqueued(rig.peer('p'), 1)
    expect(rig.partition.state.leases.count).toBe(1)

    await rig.pass(5_500)

    expect(rig.partition.state.leases.count).toBe(0)
  })

  it('grants nothing to a worker that has been silent for too long', async () => {
    const rig = await PipelineRig.open()
    const worker = rig.peer('w')
    await worker.reply({ verb: 'register', name: 'w', version: '1', labels: {}, slots: 1 })
    const parked = worker.ask(claimOf({ waitMs: 30_000 }))
    await rig.pass(15_000)

    await enqueued(rig.peer('p'), 1)

    expect(worker.resultOf<ClaimReply>(parked).tasks).toEqual([])
    expect(await claimed(rig.peer('other'), 1)).toBeDefined()
  })

  it.each([
    ['a delay that has passed', { delayMs: 100 }],
    ['a lease that has ended', undefined],
  ])('serves a parked claim after %s', async (_, wish) => {
    const rig = await PipelineRig.open()
    const [worker, other] = [rig.peer('w'), rig.peer('other')]
    await enqueued(other, 1, wish)
    if (wish === undefined) await claimed(other, 1, { leaseMs: 100 })
    const parked = worker.ask(claimOf({ waitMs: 30_000 }))
    rig.ticker.start()

    await rig.pass(200)

    expect(worker.resultOf<ClaimReply>(parked).tasks).toHaveLength(1)
  })

  it('serves a parked claim when its queue is resumed, and none while it is paused', async () => {
    const rig = await PipelineRig.open()
    const worker = rig.peer('w')
    const person = rig.peer('person')
    await person.reply({ verb: 'queue-pause', queue: 'mail' })
    const parked = worker.ask(claimOf({ waitMs: 30_000 }))
    await enqueued(person, 1)
    expect(worker.answerTo(parked)).toBeUndefined()

    await person.reply({ verb: 'queue-resume', queue: 'mail' })

    expect(worker.resultOf<ClaimReply>(parked).tasks).toHaveLength(1)
  })

  it('serves a parked claim after a request that had to read the disk first', async () => {
    const rig = await PipelineRig.open()
    const [worker, producer] = [rig.peer('w'), rig.peer('p')]
    await enqueued(producer, 1)
    await worker.reply(completeOf(await claimed(worker, 1)))
    const parked = worker.ask(claimOf({ claim: 2, waitMs: 30_000 }))

    const id = aTaskId('mail', 2)
    await producer.reply(enqueueOf('mail', [aTask({ id })], { fresh: false, sentAgoMs: 5 }))

    expect(worker.resultOf<ClaimReply>(parked).tasks).toHaveLength(1)
  })

  it('gives a re-sent claim the same leases and tokens', async () => {
    const rig = await PipelineRig.open()
    const before = rig.peer('w')
    await enqueued(before, 1)
    await enqueued(before, 2)
    const first = await before.reply<ClaimReply>(claimOf({ claim: 7, max: 2 }))
    before.leave()

    const again = await rig.peer('w').reply<ClaimReply>(claimOf({ claim: 7, max: 2 }))

    expect(again.tasks).toEqual(first.tasks)
    expect(rig.partition.state.leases.count).toBe(2)
  })

  it('tells a re-sent claim that somebody asked to cancel its task', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)
    await claimed(peer, 1)
    await peer.reply({ verb: 'cancel', ids: [id] })

    const task = await claimed(peer, 1)

    expect(task[6].cancelRequested).toBe(true)
  })

  it('moves a parked claim to the connection over which it was sent again', async () => {
    const rig = await PipelineRig.open()
    const [before, after] = [rig.peer('w'), rig.peer('w')]
    const old = before.ask(claimOf({ claim: 3, waitMs: 30_000 }))
    const moved = after.ask(claimOf({ claim: 3, waitMs: 30_000 }))
    await rig.settle()
    expect(before.resultOf(old)).toEqual({ tasks: [], leaseMs: 0 })

    await enqueued(rig.peer('p'), 1)

    expect(after.resultOf<ClaimReply>(moved).tasks).toHaveLength(1)
    expect(rig.pipeline.parkedClaims).toBe(0)
  })

  it('forgets the claims of a connection that is gone before work comes for them', async () => {
    const rig = await PipelineRig.open()
    const [gone, other] = [rig.peer('gone'), rig.peer('other')]
    gone.ask(claimOf({ waitMs: 30_000 }))
    const parked = other.ask(claimOf({ waitMs: 30_000 }))
    await rig.settle()

    gone.leave()
    await enqueued(rig.peer('p'), 1)

    expect(gone.heard).toEqual([])
    expect(other.resultOf<ClaimReply>(parked).tasks).toHaveLength(1)
  })

  it('answers an aborted claim empty', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const parked = peer.ask(claimOf({ waitMs: 30_000 }))

    expect(await peer.reply({ verb: 'abort', id: parked })).toEqual({ aborted: true })
    expect(peer.resultOf(parked)).toEqual({ tasks: [], leaseMs: 0 })
    expect(await peer.reply({ verb: 'abort', id: parked })).toEqual({ aborted: false })
  })

  it('answers everybody who waits when the broker stops', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const parked = peer.ask(claimOf({ waitMs: 30_000 }))
    rig.pipeline.stop()
    await rig.settle()

    expect(peer.resultOf(parked)).toEqual({ tasks: [], leaseMs: 0 })
    expect((await peer.refusal(claimOf({ claim: 2 }))).code).toBe('UNAVAILABLE')
  })

  it('refuses the session of another principal', async () => {
    const rig = await PipelineRig.open()
    const alice = rig.peer('w', 'alice')
    const mallory = rig.peer('mallory', 'mallory')
    await enqueued(alice, 1)
    await claimed(alice, 1)
    Object.assign(mallory.conversation, { session: alice.session })

    expect((await mallory.refusal(claimOf())).code).toBe('FORBIDDEN')
  })

  describe('with payloads that are not in memory', () => {
    it('reads them from disk', async () => {
      const rig = await PipelineRig.open()
      await enqueued(rig.peer('p'), 1, { payload: PAYLOAD, headers: { lang: 'de' } })
      await enqueued(rig.peer('p'), 2, { payload: Uint8Array.of(9) })
      const again = await rig.reopened()

      const fresh = aTask({ id: aTaskId('mail', 3), payload: Uint8Array.of(7) })
      await again.peer('p').reply(enqueueOf('mail', [fresh]))
      const { tasks } = await again.peer('w').reply<ClaimReply>(claimOf({ max: 5 }))

      expect(tasks.map((task) => [...task[5]])).toEqual([[4, 5, 6], [9], [7]])
      expect(tasks[0]?.[6].headers).toEqual({ lang: 'de' })
    })

    it('answers when payloads and commit are there, whichever comes last', async () => {
      const rig = await PipelineRig.open()
      await enqueued(rig.peer('p'), 1, { payload: PAYLOAD })
      const again = await rig.reopened()
      const peer = again.peer('w')
      again.store.reads.shut()

      const claim = peer.ask(claimOf())
      await again.settle()
      expect(peer.answerTo(claim)).toBeUndefined()
      again.store.reads.open()
      await again.settle()

      expect(peer.resultOf<ClaimReply>(claim).tasks[0]?.[5]).toEqual(PAYLOAD)
    })

    it('sets a task aside whose payload is damaged, and delivers the others', async () => {
      const rig = await PipelineRig.open()
      const bad = await enqueued(rig.peer('p'), 1, { payload: PAYLOAD })
      const good = await enqueued(rig.peer('p'), 2, { payload: PAYLOAD })
      damage(rig, bad)
      const again = await rig.reopened()
      const peer = again.peer('w')

      const { tasks } = await peer.reply<ClaimReply>(claimOf({ max: 2 }))
      const task = await peer.reply<ReplyOf<'get'>>({ verb: 'get', id: bad, payload: false })

      expect(tasks.map(([id]) => id)).toEqual([good])
      expect(again.damages).toContain('payload')
      expect(task.state).toBe('dead')
      expect(task.end?.reason).toBe('unreadable_payload')
    })

    it('answers a claim empty if all it got is damaged', async () => {
      const rig = await PipelineRig.open()
      damage(rig, await enqueued(rig.peer('p'), 1, { payload: PAYLOAD }))
      const again = await rig.reopened()

      const reply = await again.peer('w').reply(claimOf())

      expect(reply).toEqual({ tasks: [], leaseMs: 0 })
    })

    it('leaves a task alone that another attempt holds by the time its payload turns out bad', async () => {
      const rig = await PipelineRig.open()
      const id = await enqueued(rig.peer('p'), 1, { payload: PAYLOAD })
      damage(rig, id)
      const again = await rig.reopened()
      const [slow, other] = [again.peer('slow'), again.peer('other')]
      again.store.reads.shut()
      const late = slow.ask(claimOf({ leaseMs: 100 }))
      again.ticker.start()
      await again.pass(200)
      const row = again.partition.state.index.find(id) as number
      expect(again.partition.state.tasks.losses(row)).toBe(1)

      const current = other.ask(claimOf({ leaseMs: 10_000 }))
      again.store.reads.open()
      await again.settle()

      expect(slow.resultOf<ClaimReply>(late).tasks).toEqual([])
      expect(other.resultOf<ClaimReply>(current).tasks).toEqual([])
      expect(again.partition.state.liveCount).toBe(0) // set aside once, by the attempt that held it
    })

    it('refuses a claim if the store cannot be read; its leases end by themselves', async () => {
      const rig = await PipelineRig.open()
      await enqueued(rig.peer('p'), 1)
      const again = await rig.reopened()
      const peer = again.peer('w')
      again.store.failsReads = true

      const error = await peer.refusal(claimOf())
      again.store.failsReads = false
      const task = await claimed(peer, 1)

      expect(error.code).toBe('UNAVAILABLE')
      expect(task[4]).toBe(1) // the same lease, by the same claim
      expect(await peer.reply(beatOf([task], 1))).toEqual({})
    })
  })
})
