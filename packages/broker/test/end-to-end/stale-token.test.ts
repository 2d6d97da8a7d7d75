// A token that does not hold the task any more is refused, and what it asked for changes nothing.

import type { TaskDescription } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { aQueueName } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { type Held, heldOf, type WireClient } from './wire-client.ts'

const broker = sharedBroker()

/** Everything that a holder may say, each with the token given. */
const VERBS = ['start', 'progress', 'complete', 'fail', 'release'] as const

describe('a stale token', () => {
  it('is refused while somebody else holds the task', async () => {
    const { wire, stale, held } = await aTaskHeldAgain()
    const before = await wire.task(held.id)

    for (const verb of VERBS) {
      expect(await say(wire, verb, stale)).toMatchObject({
        ok: 0,
        refused: [[0, 'STALE_LEASE', expect.stringContaining(String(stale.token))]],
      })
    }

    expect(timeless(await wire.task(held.id))).toEqual(timeless(before))
    expect(held.token).toBeGreaterThan(stale.token)
    expect(await wire.complete(held)).toEqual({ ok: 1 })
  })

  it('is told to stop by a heartbeat, which renews nothing', async () => {
    const { first, wire, stale, held } = await aTaskHeldAgain()
    const before = await wire.task(held.id)

    const reply = await first.ask<'heartbeat'>({ verb: 'heartbeat', leases: [stale], received: 1 })

    expect(reply.stop).toEqual([[stale.id, stale.token, 'lost']])
    const after = await wire.task(held.id)
    expect(timeless(after)).toEqual(timeless(before))
    expect(after.lease!.remainingMs).toBeLessThanOrEqual(before.lease!.remainingMs)
  })

  it('is refused while the task waits for its retry', async () => {
    const { wire, held } = await aTaskHeldAgain()
    await wire.ask<'fail'>({
      verb: 'fail',
      tasks: [{ ...held, error: { message: 'once' }, retryAfterMs: 60_000 }],
    })
    const before = await wire.task(held.id)
    expect(before.state).toBe('retrying')

    for (const verb of VERBS) {
      expect(await say(wire, verb, held)).toMatchObject({
        ok: 0,
        refused: [[0, 'STALE_LEASE', expect.any(String)]],
      })
    }

    expect(timeless(await wire.task(held.id))).toEqual(timeless(before))
  })

  it('is refused after the task has ended under a later one', async () => {
    const { wire, stale, held } = await aTaskHeldAgain()
    await wire.complete(held)
    const before = await wire.task(held.id)

    for (const verb of VERBS) {
      // Nobody looks for ended tasks when progress is told: it may be unknown as well.
      const code = verb === 'progress' ? /STALE_LEASE|NOT_FOUND/ : /STALE_LEASE/
      const { ok, refused } = await say(wire, verb, stale)
      expect([ok, refused?.[0]?.[1]]).toEqual([0, expect.stringMatching(code)])
    }

    expect(await wire.task(held.id)).toEqual(before)
  })

  it('is refused when it was made up, and in the hands of another session as well', async () => {
    const { wire, held } = await aTaskHeldAgain()
    const before = await wire.task(held.id)
    const stranger = await broker.wire()

    for (const verb of VERBS) {
      const madeUp = { id: held.id, token: held.token + 1 }
      expect((await say(stranger, verb, madeUp)).refused?.[0]?.[1]).toBe('STALE_LEASE')
    }

    expect(timeless(await wire.task(held.id))).toEqual(timeless(before))
  })
})

/** Claimed, given back, and claimed again by another session: the first token is stale. */
async function aTaskHeldAgain(): Promise<{
  first: WireClient
  wire: WireClient
  stale: Held
  held: Held
}> {
  const queue = aQueueName()
  const first = await broker.wire()
  await first.enqueue(queue)
  const stale = heldOf((await first.claim(queue)).tasks[0])
  await first.release(stale)
  const wire = await broker.wire()
  const held = heldOf((await wire.claim(queue)).tasks[0])
  return { first, wire, stale, held }
}

function say(
  wire: WireClient,
  verb: (typeof VERBS)[number],
  { id, token }: Held,
): Promise<{ ok: number; refused?: readonly (readonly [number, string, string])[] }> {
  switch (verb) {
    case 'start':
    case 'release':
      return wire.ask({ verb, tasks: [{ id, token }] })
    case 'progress':
      return wire.ask({ verb, tasks: [{ id, token, percent: 50, note: 'stale' }] })
    case 'complete':
      return wire.ask({ verb, tasks: [{ id, token, result: Uint8Array.of(1) }] })
    case 'fail':
      return wire.ask({ verb, tasks: [{ id, token, error: { message: 'stale' } }] })
  }
}

/** A description without moments: what a lease has left, and a due time told by an even clock. */
function timeless(task: TaskDescription): object {
  const { dueAtMs, lease, ...rest } = task
  return { ...rest, isDue: dueAtMs !== undefined, lease: lease && { ...lease, remainingMs: 0 } }
}
