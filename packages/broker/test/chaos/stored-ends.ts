// How a store at rest holds the tasks that have ended: the last lines of a history.

import { decodePayload } from '@tq/core'
import { Engine } from '../../src/engine/engine.ts'
import type { EndedTask } from '../../src/engine/fact.ts'
import { hexOf } from '../../src/engine/held.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../../src/engine/state.ts'
import { familyRange, taskIdOfKey } from '../../src/storage/key.ts'
import { LevelStore } from '../../src/storage/level-store.ts'
import { Lookup } from '../../src/storage/lookup.ts'
import { recover, type StepRunner } from '../../src/storage/recovery.ts'
import type { EndLine } from './history-line.ts'

const PAGE_SIZE = 1_000
const run: StepRunner = async (_, step) => (await step()).value

/** The ended tasks of these queues, in a directory that no broker has; the epoch grows. */
export async function storedEnds(
  directory: string,
  queues: readonly string[],
): Promise<readonly EndLine[]> {
  const store = new LevelStore({ directory, onFailure: rethrow })
  const ends: EndLine[] = []
  try {
    const opened = await store.open()
    const { state } = new Engine(DEFAULT_ENGINE_OPTIONS, () => undefined)
    await recover(store, opened, { state, run })
    const lookup = new Lookup(store, state, (what) => rethrow(new Error(`${what} is damaged`)))
    for await (const page of store.load(familyRange('done'), PAGE_SIZE)) {
      for (const [key, value] of page) {
        const task = lookup.decodeEnded(key, value, taskIdOfKey(key))
        if (task !== undefined && queues.includes(task.profile.queue.name)) ends.push(endOf(task))
      }
    }
  } finally {
    await store.close()
  }
  return ends
}

function endOf({ id, profile, failures, losses, generation, end }: EndedTask): EndLine {
  const { state, reason, result } = end
  const by = result === undefined ? undefined : (decodePayload(result) as { by: number }).by
  return {
    k: 'end',
    id: hexOf(id),
    queue: profile.queue.name,
    state,
    reason,
    failures,
    losses,
    generation,
    ...(by === undefined ? {} : { by }),
  }
}

function rethrow(error: Error): never {
  throw error
}
