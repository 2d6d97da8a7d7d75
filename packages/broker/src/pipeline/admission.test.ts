// New work is refused when the disk is full or slow; work in progress is not.

import { describe, expect, it } from 'vitest'
import { PipelineRig } from '../../test/pipeline-rig.ts'
import { claimed, completeOf, enqueued, enqueueOf } from '../../test/request-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'

describe('admission', () => {
  it('takes new work while there is room on the disk and the disk keeps up', async () => {
    const rig = await PipelineRig.open()

    await enqueued(rig.peer('p'), 1)

    expect(rig.partition.state.liveCount).toBe(1)
  })

  it('refuses new work below the floor of free space, and lets work in progress finish', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('w')
    await enqueued(peer, 1)
    const task = await claimed(peer, 1)
    rig.freeBytes = 999_999

    const error = await peer.refusal(enqueueOf('mail', [aTask({ id: aTaskId('mail', 2) })]))
    const reply = await peer.reply(completeOf(task))

    expect(error.code).toBe('NO_SPACE')
    expect(error.retryAfterMs).toBe(5_000)
    expect(reply).toEqual({ ok: 1 })
  })

  it('refuses new work while a commit takes too long', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.commits.shut()
    peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 1) })]))
    await rig.settle()
    await rig.pass(1_000)
    const inTime = peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 2) })]))
    await rig.pass(1)

    const late = peer.ask(enqueueOf('mail', [aTask({ id: aTaskId('mail', 3) })]))
    expect(peer.answerTo(late)).toBeUndefined() // a refusal shows state as well: it waits
    rig.store.commits.open()
    await rig.settle()

    expect(peer.answerTo(inTime)).toMatchObject({ kind: 'reply' })
    expect(() => peer.resultOf(late)).toThrow('the disk cannot keep up')
  })
})
