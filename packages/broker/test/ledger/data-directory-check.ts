// The offline check of a data directory (fsck): it opens, recovers, and every record has its others.

import { Engine } from '../../src/engine/engine.ts'
import { checkInvariants } from '../../src/engine/invariants.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../../src/engine/state.ts'
import { LevelStore } from '../../src/storage/level-store.ts'
import type { Entry, KeyRange } from '../../src/storage/port.ts'
import { recover, type StepRunner } from '../../src/storage/recovery.ts'
import { faultsOf } from '../store-check.ts'

const ALL: KeyRange = { from: Uint8Array.of(0), to: Uint8Array.of(0xff) }
const PAGE_SIZE = 1_000
/** Runs a step of the start and remembers nothing. */
const run: StepRunner = async (_, step) => (await step()).value

/**
 * What is wrong with a data directory that no broker has; empty if all is well. It counts as a
 * start: the epoch grows.
 * @throws {StoreError} if the store refuses to open, as it would for a broker.
 */
export async function checkDataDirectory(directory: string): Promise<readonly string[]> {
  const failures: string[] = []
  const store = new LevelStore({ directory, onFailure: ({ message }) => failures.push(message) })
  try {
    const opened = await store.open()
    const { state } = new Engine(DEFAULT_ENGINE_OPTIONS, () => undefined)
    const record = await recover(store, opened, { state, run })
    checkInvariants(state)
    const entries: Entry[] = []
    for await (const page of store.load(ALL, PAGE_SIZE)) entries.push(...page)
    const journal = { fromLsn: record.journalFromLsn, lsn: opened.lsn }
    return [...failures, ...faultsOf({ entries: () => entries }, state, journal)]
  } finally {
    await store.close()
  }
}
