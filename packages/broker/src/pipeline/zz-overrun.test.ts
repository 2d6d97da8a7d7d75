import { expect, it } from 'vitest'
import { systemClock, systemRandom, systemScheduler } from '@tq/core'
import { MemoryStore } from '../storage/memory-store.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../engine/state.ts'
import { Partition, PAYLOAD_CACHE_BYTES_MIN } from './partition.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'
it('overrun', async () => {
  const store = new MemoryStore()
  const opened = await store.open()
  const world = { clock: systemClock, scheduler: systemScheduler, random: systemRandom }
  const partition = await Partition.recover(
    { store, opened, run: async (_, s) => (await s()).value },
    { engine: DEFAULT_ENGINE_OPTIONS, journal: { ageMsMax: 1e9, bytesMax: 1e9 }, payloadCacheBytes: PAYLOAD_CACHE_BYTES_MIN },
    { world, events: { onFact: () => {}, onCommitted: () => {}, onRoom: () => {}, onFailed: () => {}, onDamage: () => {} } },
  )
  // one turn of the event loop: requests of several connections, none in flight
  let taken = 0
  for (let n = 1; n <= 60; n++) {
    if (partition.commits.isFull) break
    taken++
    const tasks = [aTask({ id: aTaskId('mail', n), payload: new Uint8Array(1024 * 1024) })]
    partition.step<'enqueue'>({ kind: 'enqueue', request: { verb: 'enqueue', queue: 'mail', tasks, fresh: true }, hashes: [undefined], findings: undefined }, 'a')
  }
  console.log('taken before full:', taken, 'bytes', partition.builder.bytes)
  await partition.commits.idle()
  expect(partition.commits.durableLsn).toBeGreaterThan(0)
})
