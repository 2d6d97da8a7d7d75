// When the store is asked to give back the space of what was deleted.

import { expect, it } from 'vitest'
import { until } from '../test/until.ts'
import { createLogger } from './observe/log.ts'
import { SpaceReclaim } from './space-reclaim.ts'
import { FAMILIES } from './storage/key.ts'
import type { RoomAsked } from './storage/port.ts'

const FLOOR = 1_000
const PAYLOAD = Uint8Array.of(FAMILIES.payload, 0, 1)
const LIVE_TASK = Uint8Array.of(FAMILIES.task, 0, 1)

interface Round {
  readonly hasRoom: RoomAsked
  readonly end: (error?: Error) => void
}

function aRig(options: { isNew?: boolean; writeBufferBytes?: number } = {}) {
  const rounds: Round[] = []
  const events: string[] = []
  const now = { ms: 0, freeBytes: 700 }
  const space = new SpaceReclaim(
    {
      store: {
        reclaim: (hasRoom) =>
          new Promise((resolve, reject) => {
            const end = (error?: Error): void => (error === undefined ? resolve() : reject(error))
            rounds.push({ hasRoom, end })
          }),
      },
      log: createLogger({
        level: 'info',
        destination: { write: (line) => void events.push(JSON.parse(line).event) },
      }),
      clock: { wallMs: () => 0, monotonicMs: () => now.ms },
      freeBytes: () => Promise.resolve(now.freeBytes),
    },
    { floorBytes: FLOOR, writeBufferBytes: 10, isNew: true, ...options },
  )
  return { space, rounds, events, now }
}

it('asks for it below the floor once something was deleted, and tells of it', async () => {
  const { space, rounds, events, now } = aRig()
  space.looked(700)
  space.deleted([LIVE_TASK])
  space.looked(700)
  expect(rounds).toHaveLength(0)

  space.deleted([LIVE_TASK, PAYLOAD])
  space.looked(700)
  space.looked(700)
  expect(rounds).toHaveLength(1)

  now.freeBytes = 1_500
  rounds[0]?.end()
  await until(() => events.length === 2)
  expect(events).toEqual(['reclaim-started', 'reclaim-finished'])
})

it('asks for it in a store of before: what was deleted there is not known', () => {
  const { space, rounds } = aRig({ isNew: false })
  space.looked(700)
  expect(rounds).toHaveLength(1)
})

it.each([
  ['above the floor', 1_000, {}],
  ['with less than half of the floor, which it may need', 499, {}],
  ['with less than four write buffers', 799, { writeBufferBytes: 200 }],
])('does not ask for it %s', (_, freeBytes, options) => {
  const { space, rounds } = aRig({ isNew: false, ...options })
  space.looked(freeBytes)
  expect(rounds).toHaveLength(0)
})

it.each([
  ['a minute', 100, 60_000],
  ['nine times as long as it took', 10_000, 90_000],
])('rests for %s after a round', async (_, tookMs, restMs) => {
  const { space, rounds, events, now } = aRig({ isNew: false })
  space.looked(700)
  now.ms += tookMs
  rounds[0]?.end()
  await until(() => events.length === 2)
  space.deleted([PAYLOAD])

  now.ms += restMs - 1
  space.looked(700)
  expect(rounds).toHaveLength(1)
  now.ms += 1
  space.looked(700)
  expect(rounds).toHaveLength(2)
})

it.each([
  ['room', 499],
  ['enough space', 2_000],
])('goes on in a later round if it ended for %s', async (_, freeBytes) => {
  const { space, rounds, events, now } = aRig({ isNew: false })
  space.looked(700)
  expect(await rounds[0]?.hasRoom()).toBe(true)
  now.freeBytes = freeBytes
  expect(await rounds[0]?.hasRoom()).toBe(false)
  rounds[0]?.end()
  await until(() => events.length === 2)

  now.ms += 60_000
  space.looked(700)
  expect(rounds).toHaveLength(2)
})

it('rests if nothing was deleted since a whole round', async () => {
  const { space, rounds, events, now } = aRig({ isNew: false })
  space.looked(700)
  rounds[0]?.end()
  await until(() => events.length === 2)

  now.ms += 60_000
  space.looked(700)
  expect(rounds).toHaveLength(1)
})

it('ends when it is stopped, and begins no more', async () => {
  const { space, rounds } = aRig({ isNew: false })
  space.looked(700)
  space.stop()
  expect(await rounds[0]?.hasRoom()).toBe(false)
  space.looked(700)
  expect(rounds).toHaveLength(1)
})

it('says so if it fails, and tries again later', async () => {
  const { space, rounds, events, now } = aRig({ isNew: false })
  space.looked(700)
  rounds[0]?.end(new Error('no'))
  await until(() => events.length === 2)
  expect(events).toEqual(['reclaim-started', 'reclaim-failed'])

  now.ms += 60_000
  space.looked(700)
  expect(rounds).toHaveLength(2)
})
