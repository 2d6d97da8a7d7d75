// How long the broker waits for a greeting, the rest of a frame, and a sign of life.

import { encodeRequestFrame } from '@tq/core'
import { beforeAll, expect, it } from 'vitest'
import { durationMs, eventually } from './eventually.ts'
import { aQueueName } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { WireClient, type WireOptions } from './wire-client.ts'

const HELLO_MS = 300
const FRAME_MS = 1_000
const IDLE_MS = 1_500
/** What a busy machine may take beyond. */
const LATE_MS = 3_000
/** Longer than each of them: whoever lives through this is kept. */
const LONG_MS = 3_400

const broker = sharedBroker(
  `--timeouts-hello-ms=${HELLO_MS}`,
  `--timeouts-frame-ms=${FRAME_MS}`,
  `--timeouts-idle-ms=${IDLE_MS}`,
  '--workers-heartbeat-ms=500',
  '--log-level=debug',
)

// All of them live at once, so that the waiting is paid for once.
let silent: Promise<number>
let dribbling: Promise<number>
let unfinished: Promise<number>
let idle: Promise<number>
let waiting: Promise<number>
let talking: Promise<number>
let straddling: Promise<number>

beforeAll(() => {
  silent = lifeMs(() => {}, { hello: false })
  dribbling = lifeMs(dribble, { hello: false })
  unfinished = lifeMs(dribble)
  idle = lifeMs(() => {})
  waiting = lifeMs(async (wire) => {
    await wire.claim(aQueueName(), { waitMs: LONG_MS + 100 })
    wire.destroy()
  })
  talking = lifeMs(async (wire) => {
    for (const sinceMs = performance.now(); performance.now() - sinceMs < LONG_MS;) {
      await wire.claim(aQueueName(), { waitMs: IDLE_MS / 3 })
    }
    wire.destroy()
  })
  straddling = lifeMs(async (wire) => {
    await straddle(wire)
    wire.destroy()
  })
})

it('closes a connection that does not say hello, or not to its end', async () => {
  for (const life of [silent, dribbling]) {
    expect(await life).toBeGreaterThanOrEqual(HELLO_MS)
    expect(await life).toBeLessThan(HELLO_MS + LATE_MS)
  }
  await eventually(() => expect(closedFor('no hello came in time')).toBe(2))
})

it('closes a connection whose request does not end, though it goes on and on', async () => {
  expect(await unfinished).toBeGreaterThanOrEqual(FRAME_MS)
  expect(await unfinished).toBeLessThan(FRAME_MS + LATE_MS)
  await eventually(() => expect(closedFor('a frame was not completed in time')).toBe(1))
})

it('closes a connection of which nothing is heard', async () => {
  expect(await idle).toBeGreaterThanOrEqual(IDLE_MS)
  expect(await idle).toBeLessThan(IDLE_MS + LATE_MS)
  await eventually(() => expect(closedFor('nothing was heard for too long')).toBe(1))
})

it('keeps a connection that waits for an answer', async () => {
  expect(await waiting).toBeGreaterThanOrEqual(LONG_MS)
})

it('keeps a connection that says something now and then', async () => {
  expect(await talking).toBeGreaterThanOrEqual(LONG_MS)
})

it('keeps a connection whose frames never end where its packets end', async () => {
  expect(await straddling).toBeGreaterThanOrEqual(LONG_MS)
})

/** How long a connection lives that follows a script, its making included. */
function lifeMs(
  script: (wire: WireClient) => void | Promise<void>,
  options: WireOptions = {},
): Promise<number> {
  return durationMs(async () => {
    const wire = await WireClient.connect(broker.address, options)
    await script(wire)
    await wire.closed
  })
}

/** Sends a frame of 4 KiB byte by byte, now and then one. */
async function dribble(wire: WireClient): Promise<void> {
  wire.write(Uint8Array.of(0, 0, 0x10))
  while (!wire.isClosed) {
    wire.write(Uint8Array.of(0))
    await moment()
  }
}

/** Each write ends one frame and begins the next: there is never a time without half a frame. */
async function straddle(wire: WireClient): Promise<void> {
  let rest: Uint8Array = new Uint8Array(0)
  let before: Promise<unknown> = Promise.resolve()
  let id = 1_000
  for (const sinceMs = performance.now(); performance.now() - sinceMs < LONG_MS; id += 1) {
    const frame = encodeRequestFrame(id, { verb: 'ping' })
    const answer = wire.expect(id)
    wire.write(Buffer.concat([rest, frame.subarray(0, 6)]))
    rest = frame.subarray(6)
    await before
    before = answer
    await moment()
  }
}

/** How often the log says that a connection was closed for this reason. */
function closedFor(reason: string): number {
  const lines = broker.process.output.split('\n')
  return lines.filter((line) => line.includes('connection-closed') && line.includes(reason)).length
}

/** Long enough for two writes to be two packets, and short against every timeout here. */
function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50))
}
