// Complete racing cancel: one of them wins, and answers, states, histories and counts agree on which.

import type { ReplyOf, TaskDescription } from '@tq/core'
import { expect, it } from 'vitest'
import { aQueueName } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { type Held, heldOf, type WireClient } from './wire-client.ts'

const broker = sharedBroker()

const RACES = 1_000
const RACES_AT_ONCE = 50

interface Race {
  readonly held: Held
  readonly completed: ReplyOf<'complete'>
  readonly cancelled: ReplyOf<'cancel'>
}

it('has one winner in each of 1,000 races, and everything agrees on it', async () => {
  const queue = aQueueName()
  const worker = await broker.wire()
  const operator = await broker.wire()
  await worker.enqueue(queue, RACES)
  const { tasks } = await worker.claim(queue, { max: RACES })
  const held = tasks.map(heldOf)

  const races: Race[] = []
  for (let at = 0; at < RACES; at += RACES_AT_ONCE) {
    const started = held.slice(at, at + RACES_AT_ONCE).map((one) => race(worker, operator, one))
    races.push(...(await Promise.all(started)))
  }
  const won = races.filter(({ completed }) => completed.ok === 1)
  const lost = races.filter(({ completed }) => completed.ok === 0)
  for (const { completed, cancelled } of won) {
    expect(completed).toEqual({ ok: 1 })
    expect(cancelled).toMatchObject({ ok: 0, refused: [[0, 'INVALID_STATE', expect.anything()]] })
  }
  for (const { completed, cancelled, held: one } of lost) {
    expect(completed).toMatchObject({ ok: 0, refused: [[0, 'INVALID_STATE', expect.anything()]] })
    expect(cancelled).toEqual({ ok: 1, outcomes: ['requested'] })
    expect(await worker.release(one)).toEqual({ ok: 1 })
  }

  for (const { held: one } of won) expect(endingOf(await worker.task(one.id))).toBe('completed')
  for (const { held: one } of lost) expect(endingOf(await worker.task(one.id))).toBe('cancelled')
  expect(await worker.stats(queue)).toMatchObject({
    running: 0,
    queued: 0,
    completedTotal: won.length,
    kept: RACES,
  })
  // A race that always ends the same way is none.
  expect(Math.min(won.length, lost.length)).toBeGreaterThan(RACES / 20)
})

/** Both requests leave in the same turn, the one or the other first. */
async function race(worker: WireClient, operator: WireClient, held: Held): Promise<Race> {
  const cancel = (): Promise<ReplyOf<'cancel'>> =>
    operator.ask<'cancel'>({ verb: 'cancel', ids: [held.id] })
  const isFirst = Math.random() < 0.5
  const early = isFirst ? cancel() : undefined
  const complete = worker.complete(held, Uint8Array.of(7))
  const [completed, cancelled] = await Promise.all([complete, early ?? cancel()])
  return { held, completed, cancelled }
}

/** State, reason of the end, result and last transition, if they say the same. */
function endingOf(task: TaskDescription): string {
  const last = task.history?.at(-1)?.transitions.at(-1)
  const isWhole = task.end?.reason === task.state && last?.state === task.state
  const hasResult = task.end?.result !== undefined
  if (!isWhole || hasResult !== (task.state === 'completed')) return JSON.stringify(task)
  return task.state
}
