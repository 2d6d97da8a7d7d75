// A start on a damaged disk: how it is refused, if it is.

import { Partition, type PartitionOptions } from '../../src/pipeline/partition.ts'
import { FaultyStore, NO_FAULTS } from '../../src/storage/faulty-store.ts'
import type { MemoryImage } from '../../src/storage/memory-image.ts'
import { StoreError } from '../../src/storage/port.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { World } from './world.ts'

export interface StartParts {
  readonly world: World
  readonly random: SeededRandom
  readonly options: PartitionOptions
}

/** The code of the refusal; undefined if the broker would serve what is there. */
export async function refusalOf(
  image: MemoryImage,
  { world, random, options }: StartParts,
): Promise<StoreError['code'] | undefined> {
  const store = new FaultyStore(image, { random, scheduler: world, plan: NO_FAULTS })
  const nothing = (): void => undefined
  const events = {
    onFact: nothing,
    onCommitted: nothing,
    onRoom: nothing,
    onFailed: nothing,
    onDamage: nothing,
  }
  try {
    const opened = await store.open()
    await Partition.recover(
      { store, opened, run: async (_, step) => (await step()).value },
      options,
      { world: { clock: world, scheduler: world, random }, events },
    )
    return undefined
  } catch (error) {
    if (error instanceof StoreError) return error.code
    throw error
  }
}
