// Who holds a task hears at once that it must stop, and nobody else does.

import { describe, expect, it } from 'vitest'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import { claimed, completeOf, enqueued, held } from '../../test/request-builder.ts'

const REGISTER = { verb: 'register', name: 'w', version: '1', labels: {}, slots: 1 } as const

describe('the stop bell', () => {
  it('tells the holder at once when somebody asks to cancel its task, as soon as that is durable', async () => {
    const rig = await PipelineRig.open()
    const [worker, person, other] = [rig.peer('w'), rig.peer('person'), rig.peer('other')]
    const id = await enqueued(person, 1)
    const task = await claimed(worker, 1)
    rig.store.commits.shut()

    person.ask({ verb: 'cancel', ids: [id] })
    await rig.settle()
    expect(worker.pushes('stop')).toEqual([])
    rig.store.commits.open()
    await rig.settle()

    expect(worker.pushes('stop')).toEqual([[[id, task[1], 'cancelled']]])
    expect(other.heard.concat(person.pushes('stop') as never[])).toEqual([])
  })

  it('rings on every connection of the session that holds the task', async () => {
    const rig = await PipelineRig.open()
    const peers = [rig.peer('w'), rig.peer('w')]
    const id = await enqueued(rig.peer('p'), 1)
    await claimed(peers[0] as never, 1)

    await rig.peer('person').reply({ verb: 'cancel', ids: [id] })

    expect(peers.map((peer) => peer.pushes('stop').length)).toEqual([1, 1])
  })

  it('says nothing about tasks that nobody holds', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    const id = await enqueued(peer, 1)

    await peer.reply({ verb: 'cancel', ids: [id] })

    expect(peer.pushes('stop')).toEqual([])
  })

  it.each([
    ['lost', 'its lease has ended', { leaseMs: 100 }, {}, {}],
    ['lost', 'it was lost once too often', { leaseMs: 100 }, { maxLost: 1 }, {}],
    ['timed_out', 'it ran too long', {}, { timeoutMs: 100 }, {}],
    ['lost', 'it ran too long for the last time', {}, { timeoutMs: 100, maxAttempts: 1 }, {}],
    ['lost', 'its worker was silent for too long', {}, {}, { workerDeadMs: 100 }],
  ])('tells a worker that its attempt is %s, for %s', async (reason, _, claim, task, engine) => {
    const rig = await PipelineRig.open({ engine })
    const worker = rig.peer('w')
    await worker.reply(REGISTER)
    const id = await enqueued(worker, 1, task)
    const [, token] = await claimed(worker, 1, claim)
    rig.ticker.start()

    await rig.pass(600)

    expect(worker.pushes('stop')).toEqual([[[id, token, reason]]])
  })

  it.each([['complete'], ['release'], ['fail']] as const)(
    'says nothing when the holder itself ends its attempt by %s',
    async (verb) => {
      const rig = await PipelineRig.open()
      const worker = rig.peer('w')
      await enqueued(worker, 1)
      const task = held(await claimed(worker, 1))
      const error = { message: 'no' }

      if (verb === 'complete') await worker.reply(completeOf(task))
      else if (verb === 'release') await worker.reply({ verb, tasks: [task] })
      else await worker.reply({ verb, tasks: [{ ...task, error }] })

      expect(worker.pushes('stop')).toEqual([])
    },
  )

  it('says nothing to a worker that leaves', async () => {
    const rig = await PipelineRig.open()
    const worker = rig.peer('w')
    await enqueued(worker, 1)
    await claimed(worker, 1)

    expect(await worker.reply({ verb: 'leave' })).toEqual({ released: 1 })
    expect(worker.pushes('stop')).toEqual([])
  })
})
