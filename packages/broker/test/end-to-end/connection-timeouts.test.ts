// How long the broker waits for a greeting, the rest of a frame, and a sign of life.

import { encodeRequestFrame } from '@tq/core'
import { beforeAll, expect, it } from 'vitest'
import { durationMs } from './eventually.ts'
import { aQueueName } from './task-spec.ts'
import { sharedBroker, type TestBroker } from './test-broker.ts'
import { WireClient } from './wire-client.ts'

const HELLO_MS = 300
const FRAME_MS = 1_000
const IDLE_MS = 1_500
/** The broker looks at its connections once a second; the rest is for a busy machine. */
const LATE_MS = 3_000

const broker = sharedBroker(
  `--timeouts-hello-ms=${HELLO_MS}`,
  `--timeouts-frame-ms=${FRAME_MS}`,
  `--timeouts-idle-ms=${IDLE_MS}`,
  '--workers-heartbeat-ms=500',
)

// All of them wait at once, so that the waiting is paid for once.
let silent: Promise<number>
let halfGreeted: Promise<number>
let halfSaid: Promise<number>
let idle: Promise<number>
let parked: Promise<number>
let alive: Promise<number>
let straddling: Promise<number>

beforeAll(() => {
  silent = lifeMs(broker, { hello: false }, () => {})
  halfGreeted = lifeMs(broker, { hello: false }, (wire) => wire.write(Uint8Array.of(0, 0)))
  halfSaid = lifeMs(broker, {}, (wire) => wire.write(frame(1_000).subarray(0, 9)))
  idle = lifeMs(broker, {}, () => {})
  parked = lifeMs(broker, {}, async (wire) => {
    expect(await wire.claim(aQueueName(), { waitMs: 3_500 })).toMatchObject({ tasks: [] })
    wire.destroy()
  })
  alive = lifeMs(broker, {}, async (wire) => {
    for (let round = 0; round < 7; round += 1) {
      await wire.claim(aQueueName(), { waitMs: 500 })
      await wire.ask({ verb: 'ping' })
    }
    wire.destroy()
  })
  straddling = lifeMs(broker, {}, async (wire) => {
    // Each write ends one frame and begins the next: there is never a moment without half a frame.
    let rest: Uint8Array = new Uint8Array(0)
    for (let id = 1_000; id < 1_014 && !wire.isClosed; id += 1) {
      const bytes = frame(id)
      const answer = wire.expect(id)
      wire.write(Buffer.concat([rest, bytes.subarray(0, 6)]))
      rest = bytes.subarray(6)
      const before = id - 1
      if (before >= 1_000) await answers.get(before)
      answers.set(id, answer)
      await pause(250)
    }
    wire.destroy()
  })
})

const answers = new Map<number, Promise<unknown>>()

it('closes a connection that does not say hello', async () => {
  expect(await silent).toBeGreaterThanOrEqual(HELLO_MS)
  expect(await silent).toBeLessThan(HELLO_MS + LATE_MS)
})

it('closes a connection whose hello does not end', async () => {
  expect(await halfGreeted).toBeGreaterThanOrEqual(HELLO_MS)
  expect(await halfGreeted).toBeLessThan(HELLO_MS + LATE_MS)
})

it('closes a connection whose request does not end', async () => {
  expect(await halfSaid).toBeGreaterThanOrEqual(FRAME_MS)
  expect(await halfSaid).toBeLessThan(FRAME_MS + LATE_MS)
})

it('closes a connection of which nothing is heard', async () => {
  expect(await idle).toBeGreaterThanOrEqual(IDLE_MS)
  expect(await idle).toBeLessThan(IDLE_MS + LATE_MS)
})

it('keeps a connection that waits for an answer', async () => {
  expect(await parked).toBeGreaterThanOrEqual(3_400)
})

it('keeps a connection that says something now and then', async () => {
  expect(await alive).toBeGreaterThanOrEqual(3_400)
})

it('keeps a connection whose frames never end where its packets end', async () => {
  expect(await straddling).toBeGreaterThanOrEqual(3_400)
})

/** How long a connection lives, counted from its last word before the script. */
async function lifeMs(
  to: TestBroker,
  options: { readonly hello?: boolean },
  script: (wire: WireClient) => void | Promise<void>,
): Promise<number> {
  const wire = await WireClient.connect(to.address, options)
  return durationMs(async () => {
    await script(wire)
    await wire.closed
  })
}

function frame(id: number): Uint8Array {
  return encodeRequestFrame(id, { verb: 'ping' })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
