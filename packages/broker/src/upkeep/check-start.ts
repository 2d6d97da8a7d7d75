// Would a broker start? The same recovery, on the copy, and then every law of the engine.

import { InvariantError, limits } from '@tq/core'
import { Engine } from '../engine/engine.ts'
import { checkInvariants } from '../engine/invariants.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../engine/state.ts'
import {
  type CommitOutcome,
  type Entry,
  type KeyRange,
  type Opened,
  type Store,
  StoreError,
} from '../storage/port.ts'
import { recover, type StepRunner } from '../storage/recovery.ts'
import type { CopyReader } from './copy-reader.ts'
import type { Survey } from './survey.ts'

const RUN: StepRunner = async (_, step) => (await step()).value

/** Recovers into memory, as much of it as a broker would take. */
export async function checkStart(survey: Survey): Promise<void> {
  const { head, findings } = survey
  if (head === undefined) return
  const opened: Opened = {
    ownership: { epoch: head.epoch + 1 },
    lsn: head.lsn,
    created: false,
  }
  const engine = new Engine(
    { ...DEFAULT_ENGINE_OPTIONS, tasksMax: limits.TASKS_PER_QUEUE_MAX },
    () => {},
  )
  try {
    await recover(new ReadOnlyStore(survey.reader), opened, { state: engine.state, run: RUN })
    checkInvariants(engine.state)
  } catch (error) {
    if (error instanceof StoreError) findings.add('refused', error.message)
    else if (error instanceof InvariantError) findings.add('contradiction', error.message)
    else throw error
  }
}

/** As much of a store as recovery asks for. */
class ReadOnlyStore implements Store {
  readonly #reader: CopyReader

  constructor(reader: CopyReader) {
    this.#reader = reader
  }

  open(): Promise<Opened> {
    return Promise.reject(new StoreError('IO', 'a copy is not opened'))
  }

  load(range: KeyRange): AsyncIterable<readonly Entry[]> {
    return this.#reader.pages(range)
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#reader.getMany(keys)
  }

  commit(): Promise<CommitOutcome> {
    return Promise.resolve('unknown')
  }

  reclaim(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
