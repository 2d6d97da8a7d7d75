// Claims whose reply was lost on the way: no lease is left behind, and nothing is paid for it.

import { expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { aQueueName } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf, WireClient } from './wire-client.ts'

const broker = sharedBroker()

const ROUNDS = 500
const TASKS = 20
/** Long enough that no lease ends by itself while the test runs. */
const LEASE_MS = 600_000

it('leaks no lease in 500 rounds of claims cut off at every point', async () => {
  const queue = aQueueName()
  const wire = await broker.wire()
  const ids = await wire.enqueue(queue, TASKS)
  const proxy = await broker.proxy()
  const { session } = wire
  const seen = { again: 0, released: 0, granted: 0 }

  for (let claim = 1; claim <= ROUNDS; claim += 1) {
    await claimInVain(proxy, { queue, session, claim })
    const max = 1 + (claim % 3)
    if (claim % 2 === 0) {
      // It asks again under the same number: what the lost claim had got comes back.
      const { running } = await wire.stats(queue)
      const { tasks } = await wire.claim(queue, { claim, max, leaseMs: LEASE_MS })
      if (running > 0) seen.again += 1
      expect(tasks).toHaveLength(max)
      expect(await wire.stats(queue)).toMatchObject({ running: max })
      const release = { verb: 'release', tasks: tasks.map(heldOf) } as const
      expect(await wire.ask<'release'>(release)).toEqual({ ok: max })
    } else {
      // It gives the claim up: the next heartbeat names no lease of it.
      await eventually(async () => {
        const beat = { verb: 'heartbeat', leases: [], received: claim } as const
        seen.released += (await wire.ask<'heartbeat'>(beat)).released ?? 0
        expect(await wire.stats(queue)).toMatchObject({ running: 0, queued: TASKS })
      })
    }
  }

  expect(await wire.stats(queue)).toMatchObject({ running: 0, assigned: 0, queued: TASKS })
  const { tasks } = await wire.claim(queue, { claim: ROUNDS + 1, max: TASKS })
  expect(new Set(tasks.map((task) => hex(task[0])))).toEqual(new Set(ids.map(hex)))
  for (const task of tasks)
    expect([task[4], task[6].failures, task[6].losses]).toEqual([1, undefined, undefined])
  // The faults did hit: many a lost claim had been carried out.
  expect(seen.again).toBeGreaterThan(ROUNDS / 10)
  expect(seen.released).toBeGreaterThan(ROUNDS / 10)
})

/** Sends a claim over a connection that is cut before, in the middle of, or at its reply. */
async function claimInVain(
  proxy: FaultProxy,
  ask: { readonly queue: string; readonly session: Uint8Array; readonly claim: number },
): Promise<void> {
  const { queue, session, claim } = ask
  const wire = await WireClient.connect(proxy.address, { session })
  const link = proxy.last
  // In turn: half of the request passes; all of it, but no reply; a part of the reply.
  if (claim % 4 === 0) link.dropAfter('up', 40)
  else link.dropAfter('down', claim % 4 === 1 ? 0 : 30)
  void wire.claim(queue, { claim, max: 1 + (claim % 3), leaseMs: LEASE_MS }).catch(() => undefined)
  await wire.closed
}

function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex')
}
