// The conformance suite, against each implementation of the store.

import { systemRandom, systemScheduler } from '@tq/core'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FaultyStore, NO_FAULTS } from '../src/storage/faulty-store.ts'
import { LevelStore } from '../src/storage/level-store.ts'
import { MemoryImage } from '../src/storage/memory-image.ts'
import { MemoryStore } from '../src/storage/memory-store.ts'
import { runStoreConformance } from './store-conformance.ts'

runStoreConformance(
  'LevelStore',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tq-conformance-'))
    return {
      makeStore: () =>
        new LevelStore({
          directory,
          onFailure: (error) => {
            throw error
          },
        }),
      dispose: () => rm(directory, { recursive: true }),
    }
  },
  // The pipeline merges by key anyway; looking again costs a tenth of a commit.
  { checksKeys: false },
)

runStoreConformance(
  'MemoryStore',
  async () => {
    const image = new MemoryImage()
    return { makeStore: () => new MemoryStore(image), dispose: async () => {} }
  },
  { checksKeys: true },
)

runStoreConformance(
  'FaultyStore without faults',
  async () => {
    const image = new MemoryImage()
    const options = { random: systemRandom, scheduler: systemScheduler, plan: NO_FAULTS }
    return { makeStore: () => new FaultyStore(image, options), dispose: async () => {} }
  },
  { checksKeys: true },
)
