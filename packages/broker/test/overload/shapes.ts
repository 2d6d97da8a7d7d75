// The ways of asking too much: T14.

import { setTimeout as pause } from 'node:timers/promises'
import { OpaqueBytes, TqClient, TqError } from '@tq/client'
import { limits } from '@tq/core'
import { Flood, FLOOD_QUEUE } from './flood.ts'
import { HugeFrames } from './huge-frames.ts'
import { SlowReaders } from './slow-readers.ts'
import { overloadOf } from './overloaded.ts'
import type { Shape, Stage } from './shape.ts'
import { idleConnections } from './idle-connections.ts'

/** Of what a closed loop reached. */
const OVERLOAD = 2
const GOODPUT_SHARE_MIN = 0.8
const TASKS_MAX = 2_000
const CONNECTIONS_MAX = 200
const DRAIN_MS = 120_000
const LOOK_MS = 100
/** The peak is found when so many slices in a row have not reached a tenth more. */
const STEADY_SLICES = 3
const STEADY_GROWTH = 1.1
const SLICES_MAX = 20
const SLICE_SECONDS = 1

export const SHAPES: readonly Shape[] = [
  { name: 'too many enqueues', flags: [], run: tooManyEnqueues },
  { name: 'tasksMax reached', flags: [`--limits-tasks-max=${TASKS_MAX}`], run: tasksMaxReached },
  { name: 'slow readers', flags: [], run: slowReaders },
  {
    name: 'many connections',
    flags: [`--limits-connections-max=${CONNECTIONS_MAX}`],
    run: manyConnections,
  },
  { name: 'huge frames', flags: [], run: hugeFrames },
]

/** Goodput counts what is enqueued and what is done: both are work that somebody wanted. */
async function tooManyEnqueues(stage: Stage): Promise<void> {
  const { ledger, figures, seconds, violate, doubt } = stage
  const flood = new Flood(stage.port, ledger)
  await flood.startWorkers()
  const goodput = async (during: Promise<void>): Promise<number> => {
    const before = ledger.acked + ledger.done
    const sinceMs = performance.now()
    await during
    return (ledger.acked + ledger.done - before) / ((performance.now() - sinceMs) / 1_000)
  }
  figures['peak'] = await peakOf(() => goodput(flood.closedLoop(SLICE_SECONDS)), seconds / 4)
  // In the same unit: each task that is offered is an enqueue and, later, a completion.
  figures['offered'] = OVERLOAD * figures['peak']
  figures['goodput'] = await goodput(flood.openLoop(figures['offered'] / 2, seconds))
  figures['ackP99Ms'] = ledger.ackMs(99)
  const isPoor = figures['goodput'] < GOODPUT_SHARE_MIN * figures['peak']
  if (stage.isStrict && isPoor) violate('less goodput than 80 % of the peak')
  const { isOverloaded, why } = overloadOf(figures['offered'], figures['goodput'])
  if (!isOverloaded) doubt(why)
  await flood.answered()
  await worked(stage)
  await flood.close()
  const codes = new Set(Object.keys(ledger.refusals))
  for (const named of ['RESOURCE_EXHAUSTED', 'TIMEOUT', 'OUTCOME_UNKNOWN']) codes.delete(named)
  if (codes.size > 0) violate(`refused with ${[...codes].join(', ')}`)
}

/**
 * What a closed loop reaches, in slices: a broker that has just started is still being compiled, and
 * twice of what it does then may be less than it can do a moment later.
 */
async function peakOf(slice: () => Promise<number>, seconds: number): Promise<number> {
  let peak = 0
  let steady = 0
  const sinceMs = performance.now()
  for (let slices = 0; slices < SLICES_MAX && steady < STEADY_SLICES; slices += 1) {
    const reached = await slice()
    steady = reached > peak * STEADY_GROWTH ? 0 : steady + 1
    peak = Math.max(peak, reached)
  }
  while (performance.now() - sinceMs < seconds * 1_000) peak = Math.max(peak, await slice())
  return peak
}

/** New work is refused; what is there can be cancelled, completed and failed, and makes room. */
async function tasksMaxReached(stage: Stage): Promise<void> {
  const { client, ledger, figures, violate } = stage
  const flood = new Flood(stage.port, ledger)
  await flood.openLoop(2_000, Math.max(3, stage.seconds / 4))
  await flood.answered()
  figures['acked'] = ledger.acked
  figures['refused'] = ledger.refusals['RESOURCE_EXHAUSTED'] ?? 0
  if (ledger.acked > TASKS_MAX) violate(`${ledger.acked} tasks were taken, ${TASKS_MAX} may be`)
  if (figures['refused'] === 0) violate('nothing was refused')
  const { tasks } = await client.claim(FLOOD_QUEUE, { max: 3 })
  const [done, failed, held] = tasks
  if (done === undefined || failed === undefined || held === undefined) {
    return violate('a full broker hands out no tasks')
  }
  await client.complete([done])
  noteDone(stage, done.payloadBytes)
  await client.fail([{ ...refOf(failed), error: { message: 'on purpose' }, retryable: true }])
  const asked = await client.cancel([held.id])
  if (asked.ok !== 1) violate('a full broker cancels nothing')
  await client.fail([{ ...refOf(held), error: { message: 'stopped' } }])
  noteDone(stage, held.payloadBytes)
  await client.enqueue(FLOOD_QUEUE, 'numbered', numbered(stage)).catch((error: unknown) => {
    violate(`the room that was made was not given away: ${String(error)}`)
  })
  await flood.startWorkers()
  await worked(stage)
  await flood.close()
}

/** They ask for megabytes and read nothing: each is held to its own bound, and others are served. */
async function slowReaders(stage: Stage): Promise<void> {
  const readers = await SlowReaders.connect(stage.port)
  const sinceMs = performance.now()
  let rounds = 0
  while (performance.now() - sinceMs < stage.seconds * 500) {
    readers.ask()
    await stage.client.enqueue('aside', 'x', 'y')
    const { tasks } = await stage.client.claim('aside', { max: 1 })
    await stage.client.complete(tasks)
    rounds += 1
    await pause(LOOK_MS)
  }
  stage.figures['roundsAside'] = rounds
  stage.figures['asked'] = readers.asked
  stage.figures['cutOff'] = readers.cutOff
  readers.destroy()
}

/** More than may be connected: those over the limit are told so, the others are served. */
async function manyConnections(stage: Stage): Promise<void> {
  await stage.client.ping()
  const idle = await idleConnections(stage.port, 2 * CONNECTIONS_MAX)
  stage.figures['connected'] = idle.open
  stage.figures['refused'] = idle.refused
  if (idle.open > CONNECTIONS_MAX) stage.violate('more connections than there may be')
  if (idle.refused === 0) stage.violate('nobody was told why')
  for (let round = 0; round < 20; round += 1) await stage.client.enqueue('aside', 'x', 'y')
  idle.destroy()
  const late = new TqClient({ address: `127.0.0.1:${stage.port}` })
  await late.ping()
  await late.close()
}

/** Large requests of many clients at once, whole ones and halves that never end. */
async function hugeFrames(stage: Stage): Promise<void> {
  const frames = await HugeFrames.connect(stage.port)
  frames.sendHalves()
  const sinceMs = performance.now()
  let sent = 0
  while (performance.now() - sinceMs < stage.seconds * 500) {
    sent += await frames.sendWhole()
    await stage.client.enqueue('aside', 'x', new OpaqueBytes(new Uint8Array(1_024)))
  }
  stage.figures['sentMiB'] = (sent * limits.FRAME_BYTES_MAX) / 2 ** 20
  stage.figures['refused'] = frames.refused
  await frames.close()
}

function refOf({ id, token }: { readonly id: string; readonly token: number }): {
  id: string
  token: number
} {
  return { id, token }
}

function noteDone({ ledger }: Stage, payload: Uint8Array): void {
  ledger.noteDone(new DataView(payload.buffer, payload.byteOffset).getUint32(0))
}

function numbered({ ledger }: Stage): OpaqueBytes {
  const payload = new Uint8Array(8)
  new DataView(payload.buffer).setUint32(0, ledger.next())
  return new OpaqueBytes(payload)
}

/** Waits until the workers have done all that was acknowledged. */
async function worked({ ledger, violate }: Stage): Promise<void> {
  const sinceMs = performance.now()
  while (ledger.owed > 0) {
    if (performance.now() - sinceMs > DRAIN_MS) {
      throw new TqError('TIMEOUT', `${ledger.owed} tasks were not done in ${DRAIN_MS} ms`)
    }
    await pause(LOOK_MS)
  }
  if (ledger.done < ledger.acked) violate('fewer tasks were done than acknowledged')
}
