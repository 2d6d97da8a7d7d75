// Pages of tasks: their order, filters and cursors, and what changes in between.

import { formatTaskId, type ReplyOf, type RequestOf } from '@tq/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Peer, PipelineRig } from '../../test/pipeline-rig.ts'
import { claimed, completeOf, enqueued, enqueueOf, held } from '../../test/request-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'

type ListReply = ReplyOf<'list'>

describe('list', () => {
  let rig: PipelineRig
  let peer: Peer
  beforeEach(async () => {
    rig = await PipelineRig.open()
    peer = rig.peer('w')
  })

  function list(wish: Partial<RequestOf<'list'>> = {}): Promise<ListReply> {
    return peer.reply<ListReply>({ verb: 'list', limit: 100, ...wish })
  }

  /** Numbers of the tasks in a reply, for ids made by number. */
  function numbersOf({ tasks }: ListReply): number[] {
    return tasks.map(({ id }) => new DataView(id.buffer, id.byteOffset).getUint32(2))
  }

  it('shows live tasks in the order of their ids, then ended ones', async () => {
    for (const number of [3, 1, 2, 4]) await enqueued(peer, number)
    await peer.reply(completeOf(await claimed(peer, 1)))

    const reply = await list()

    expect(numbersOf(reply)).toEqual([1, 2, 4, 3])
    expect(reply.tasks.map(({ state }) => state)).toEqual([
      'queued',
      'queued',
      'queued',
      'completed',
    ])
    expect(reply.cursor).toBeNull()
  })

  it('goes page by page through both, each task once', async () => {
    for (let number = 1; number <= 5; number += 1) await enqueued(peer, number)
    for (const claim of [1, 2]) await peer.reply(completeOf(await claimed(peer, claim)))
    const seen: number[] = []
    let cursor: string | null = null

    for (;;) {
      const reply: ListReply = await list({ limit: 2, ...(cursor !== null && { cursor }) })
      seen.push(...numbersOf(reply))
      expect(reply.tasks.length).toBeLessThanOrEqual(2)
      cursor = reply.cursor
      if (cursor === null) break
    }

    expect(seen).toEqual([3, 4, 5, 1, 2])
  })

  it('filters by queue, state and type', async () => {
    await enqueued(peer, 1, { type: 'send' })
    await enqueued(peer, 2, { type: 'resize' })
    await enqueued(peer, 3, { type: 'send', delayMs: 1_000 })
    await peer.reply(enqueueOf('video', [aTask({ id: aTaskId('video', 9) })]))
    await peer.reply(completeOf(await claimed(peer, 1)))

    expect(numbersOf(await list({ queue: 'video' }))).toEqual([9])
    expect(numbersOf(await list({ queue: 'mail' }))).toEqual([2, 3, 1])
    expect(numbersOf(await list({ state: 'scheduled' }))).toEqual([3])
    expect(numbersOf(await list({ state: 'completed' }))).toEqual([1])
    expect(numbersOf(await list({ type: 'send', queue: 'mail' }))).toEqual([3, 1])
    expect(numbersOf(await list({ state: 'dead' }))).toEqual([])
  })

  it('shows who works on what', async () => {
    await peer.reply({ verb: 'register', name: 'hal', version: '1', labels: {}, slots: 1 })
    await enqueued(peer, 1)
    await claimed(peer, 1)

    const { tasks } = await list()

    expect(tasks[0]).toMatchObject({ state: 'running', worker: 'hal', attempt: 1 })
  })

  it('shows a task that ends during the listing once on a page', async () => {
    await enqueued(peer, 1)
    const task = await claimed(peer, 1)
    rig.store.reads.shut()
    const asked = peer.ask({ verb: 'list', limit: 100 })
    await rig.settle()

    peer.ask(completeOf(task))
    await rig.settle()
    rig.store.reads.open()
    await rig.settle()

    expect(numbersOf(peer.resultOf(asked))).toEqual([1])
  })

  it('does not show what is no more', async () => {
    await enqueued(peer, 1)
    await peer.reply({ verb: 'queue-set', queue: 'mail', settings: { retentionCount: 0 } })
    const task = held(await claimed(peer, 1))
    rig.store.reads.shut()
    const asked = peer.ask({ verb: 'list', limit: 100 })
    await rig.settle()
    peer.ask(completeOf(task))
    await rig.settle()
    rig.store.reads.open()
    await rig.settle()

    expect(numbersOf(peer.resultOf(asked))).toEqual([])
  })

  it('refuses a cursor that is none of its own', async () => {
    for (const cursor of ['', 'no', Buffer.alloc(19, 9).toString('base64url')]) {
      const error = await peer.refusal({ verb: 'list', limit: 1, cursor })
      expect(error.code).toBe('BAD_REQUEST')
      expect(error.message).toContain('is not one that a list answered')
    }
  })

  it('leaves out a record that is damaged, and reports it', async () => {
    const id = await enqueued(peer, 1)
    await peer.reply(completeOf(await claimed(peer, 1)))
    const key = Uint8Array.of(3, ...slotBytes(id), ...id)
    const value = rig.image.get(key) as Uint8Array
    value[9] = (value[9] ?? 0) ^ 4
    rig.image.tamper(key, value)

    expect(numbersOf(await list())).toEqual([])
    expect(rig.damages).toEqual(['done'])
    expect(formatTaskId(id)).toMatch(/^[0-9a-f-]{36}$/)
  })
})

function slotBytes(id: Uint8Array): [number, number] {
  const slot = (((id[8] ?? 0) & 0x3f) << 4) | ((id[9] ?? 0) >>> 4)
  return [slot >>> 8, slot & 0xff]
}
