// SIGTERM: what is under way is answered, tasks stay with their workers, the store is whole afterwards.

import { describe, expect, it } from 'vitest'
import type { TqError } from '@tq/core'
import { durationMs, eventually } from './eventually.ts'
import { aQueueName, aTask } from './task-spec.ts'
import { aBroker, sharedBroker } from './test-broker.ts'
import { heldOf } from './wire-client.ts'

const DRAIN_MS = 2_000

const broker = sharedBroker(`--timeouts-drain-ms=${DRAIN_MS}`)

describe('SIGTERM', () => {
  it('answers what was asked, and what was answered is there after the next start', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const parked = wire.claim(aQueueName(), { waitMs: 30_000 })
    const waited = wire.ask<'wait'>({
      verb: 'wait',
      id: (await wire.enqueue(queue))[0]!,
      waitMs: 30_000,
    })
    const acknowledged: Uint8Array[] = []
    const fates: Promise<'kept' | 'refused' | 'unknown'>[] = []
    const enqueue = async (): Promise<'kept' | 'refused' | 'unknown'> => {
      const task = aTask(queue)
      try {
        await wire.ask<'enqueue'>({ verb: 'enqueue', queue, tasks: [task], fresh: true })
        acknowledged.push(task.id!)
        return 'kept'
      } catch (error) {
        return (error as Partial<TqError>).code === 'UNAVAILABLE' ? 'refused' : 'unknown'
      }
    }
    for (let count = 0; count < 300; count += 1) fates.push(enqueue())
    await eventually(() => expect(acknowledged.length).toBeGreaterThan(10))

    broker.process.signal('SIGTERM')
    while (!wire.isClosed) {
      fates.push(enqueue())
      await new Promise((resolve) => setImmediate(resolve))
    }

    expect(await broker.process.exited).toEqual({ code: 0, signal: null })
    expect(await parked).toEqual({ tasks: [], leaseMs: 0 })
    expect(await waited).toEqual({ done: false })
    expect(wire.pushes).toContainEqual({
      kind: 'push',
      channel: 'closing',
      data: { reason: expect.any(String), graceMs: DRAIN_MS },
    })
    const settled = await Promise.all(fates)
    expect(settled.slice(0, 10)).not.toContain('unknown')

    await broker.start()
    const next = await broker.wire()
    const { queued } = await next.stats(queue)
    const unknown = settled.filter((fate) => fate === 'unknown').length
    expect(queued).toBeGreaterThanOrEqual(1 + acknowledged.length)
    expect(queued).toBeLessThanOrEqual(1 + acknowledged.length + unknown)
    for (const id of acknowledged) expect((await next.task(id)).state).toBe('queued')
  })

  it('ends in time, and the next start finds nothing to complain about', async () => {
    const wire = await broker.wire()
    await wire.enqueue(aQueueName(), 1_000)

    const tookMs = await durationMs(async () => expect((await broker.stop()).code).toBe(0))
    await broker.start()

    expect(tookMs).toBeLessThan(DRAIN_MS)
    const next = await broker.wire()
    const { reports } = await next.ask<'startup-log'>({ verb: 'startup-log' })
    expect(reports[0]).toMatchObject({ warnings: [] })
    expect(reports[0]).not.toHaveProperty('abortedBefore')
    expect(reports[0]!.epoch).toBe(reports[1]!.epoch + 1)
    expect(broker.process.output).not.toMatch(/"level":"(warn|error|fatal)"/)
  })

  it('leaves tasks with their workers: they go on under the same tokens', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    await wire.ask({ verb: 'register', name: 'w', version: '1', labels: {}, slots: 4 })
    await wire.enqueue(queue, 4)
    const held = (await wire.claim(queue, { max: 3 })).tasks.map(heldOf)

    await broker.stop()
    await broker.start()

    const next = await broker.wire({ session: wire.session })
    await next.ask({ verb: 'register', name: 'w', version: '1', labels: {}, slots: 4 })
    expect(await next.stats(queue)).toMatchObject({ running: 3, queued: 1 })
    const beat = { verb: 'heartbeat', leases: held, received: 1 } as const
    expect(await next.ask<'heartbeat'>(beat)).toEqual({})
    for (const one of held) expect(await next.complete(one)).toEqual({ ok: 1 })
    const later = heldOf((await next.claim(queue, { claim: 2 })).tasks[0])
    expect(later.token).toBeGreaterThan(Math.max(...held.map(({ token }) => token)))
    expect((await next.task(later.id)).attempt).toBe(1)
  })
})

describe('a client that does not read its answers', () => {
  it('delays the end until the deadline and no longer; a second signal does not wait', async () => {
    const stubborn = await aBroker('--timeouts-drain-ms=600000')
    for (const patience of ['deadline', 'second signal']) {
      const isPatient = patience === 'deadline'
      const subject = isPatient ? broker : stubborn
      await clog(subject)

      const tookMs = await durationMs(async () => {
        subject.process.signal('SIGTERM')
        if (!isPatient) {
          await subject.process.event('stopping')
          subject.process.signal('SIGTERM')
        }
        const { code } = await subject.process.exited
        expect(code).toBe(isPatient ? 0 : 1)
      })

      if (isPatient) expect(tookMs).toBeGreaterThan(DRAIN_MS - 500)
      expect(tookMs).toBeLessThan(isPatient ? DRAIN_MS + 2_000 : 2_000)
    }
  })
})

/** A connection with more answers under way than its kernel takes, none of which it reads. */
async function clog(to: { readonly wire: typeof broker.wire }): Promise<void> {
  const queue = aQueueName()
  const wire = await to.wire()
  const payload = 'x'.repeat(1_000_000)
  const [id] = await wire.enqueue(queue, [aTask(queue, { payload })])
  wire.pause()
  for (let count = 0; count < 12; count += 1) {
    void wire.ask<'get'>({ verb: 'get', id: id!, payload: true }).catch(() => undefined)
  }
  const other = await to.wire()
  for (let count = 0; count < 20; count += 1) await other.ask({ verb: 'ping' })
}
