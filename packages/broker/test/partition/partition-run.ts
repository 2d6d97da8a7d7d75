// Plays many faults of the line on one broker, some of them at once: most of each is waiting.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RigBroker } from '../rig-broker.ts'
import type { PartitionCase } from './partition-case.ts'
import { playPartition, STORY_FLAGS } from './story.ts'

export interface PartitionRun {
  readonly cases: readonly PartitionCase[]
  readonly atOnce: number
  readonly holdMs: (partition: PartitionCase) => number
  readonly report: (name: string, violations: readonly string[]) => void
}

/** Starts a broker with these flags on a directory of its own, and removes both. */
export async function withBroker<T>(
  flags: readonly string[],
  use: (broker: RigBroker) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-partition-'))
  const broker = new RigBroker(join(directory, 'data'), flags)
  try {
    await broker.start()
    return await use(broker)
  } finally {
    await broker.kill()
    await rm(directory, { recursive: true, force: true })
  }
}

export async function runPartitions(run: PartitionRun): Promise<void> {
  const left = [...run.cases]
  await withBroker(STORY_FLAGS, async (broker) => {
    const play = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const options = { broker, partition: next, holdMs: run.holdMs(next) }
        run.report(next.name, await playPartition(options))
      }
    }
    await Promise.all(Array.from({ length: run.atOnce }, play))
    const isTroubled = /"event":"(failed|crashed|record-damaged)"/.test(broker.process.output)
    if (isTroubled) run.report('the broker', [`it is in trouble:\n${broker.process.output}`])
  })
}
