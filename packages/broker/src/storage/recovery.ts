// From disk to memory: queues, sessions, tasks and leases, then a check that all of it fits together.

import {
  formatTaskId,
  isTaskIdBytes,
  isTerminal,
  limits,
  slotOfTaskId,
  type QueueSettings,
} from '@tq/core'
import { apply } from '../engine/apply.ts'
import { checkCounts } from '../engine/invariants.ts'
import { parseProfile, type Profile } from '../engine/profile.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../engine/queue.ts'
import { restoreTask, type RestoredLease, type RestoredTask } from '../engine/restore.ts'
import type { EngineState } from '../engine/state.ts'
import { ByteReader } from './byte-reader.ts'
import { JOURNAL_RECORD_VERSION } from './journal-record.ts'
import { ENGINE_KEY, familyRange, journalKey, lsnOfJournalKey, taskIdOfKey } from './key.ts'
import { type Entry, type Opened, type Store, StoreError } from './port.ts'
import { decodeEngine, decodeQueue, decodeSession, type EngineRecord } from './registry-record.ts'
import { CorruptRecordError, isDamage, SEAL_BYTES, unseal } from './sealed.ts'
import { decodeTask, type LeaseRecord, TASK_RECORD_VERSION, type TaskCore } from './task-record.ts'

const PAGE_SIZE = 1_000

/** Runs one named step of the start and notes its time and counts. */
export type StepRunner = <T>(
  name: string,
  step: () => Promise<{ value: T; counts: Readonly<Record<string, number>> }>,
) => Promise<T>

/**
 * Fills an empty state from an opened store. Everything that is read is checked: a live record that
 * fails its checksum, or a gap in the last commits, stops the start.
 * @returns The engine's counters as of the last commit.
 * @throws {StoreError} CORRUPT or GAP, saying what is wrong.
 */
export async function recover(
  store: Store,
  opened: Opened,
  into: { readonly state: EngineState; readonly run: StepRunner },
): Promise<EngineRecord> {
  const { state, run } = into
  const record = await run('verify', () => verify(store, opened))
  state.tickMs = record.tickMs
  state.lastToken = Math.max(record.lastToken, opened.ownership.epoch * limits.TOKENS_PER_EPOCH)
  state.nextSequence = record.nextSequence
  state.nextQueueNumber = record.nextQueueNumber
  await run('load-queues', () => loadQueues(store, state))
  await run('load-sessions', () => loadSessions(store, state))
  await run('load-tasks', () => loadTasks(store, state))
  await run('reconcile', () => {
    checkCounts(state)
    const counts = { tasks: state.tasks.count, leases: state.leases.count }
    return Promise.resolve({ value: undefined, counts })
  })
  return record
}

const FRESH: EngineRecord = {
  tickMs: 0,
  wallMs: 0,
  lastToken: 0,
  nextSequence: 1,
  nextQueueNumber: 1,
  verifyFromLsn: 1,
  journalFromLsn: 1,
}

async function verify(
  store: Store,
  opened: Opened,
): Promise<{ value: EngineRecord; counts: Record<string, number> }> {
  const [value] = await store.getMany([ENGINE_KEY])
  if (value === undefined) {
    if (opened.lsn === 0) return { value: FRESH, counts: { commits: 0 } }
    throw new StoreError('CORRUPT', `the store is at commit ${opened.lsn} but has no engine record`)
  }
  const record = readOrRefuse(() => decodeEngine(ENGINE_KEY, value), 'the engine record')
  const commits = await verifyTail(store, opened, record)
  return { value: record, counts: { commits } }
}

/**
 * Looks for holes among the newest commits: those that may have been in LevelDB's log, where a
 * damaged block loses commits in the middle without a word.
 */
async function verifyTail(store: Store, opened: Opened, record: EngineRecord): Promise<number> {
  const from = Math.max(record.verifyFromLsn, record.journalFromLsn)
  let expected = from
  const range = { from: journalKey(from), to: journalKey(opened.lsn + 1) }
  for await (const page of store.load(range, PAGE_SIZE)) {
    for (const [key, value] of page) {
      const lsn = lsnOfJournalKey(key)
      if (lsn !== expected) throw gap(expected, lsn)
      const check = (): unknown => unseal(key, value, JOURNAL_RECORD_VERSION)
      readOrRefuse(check, `the journal record of commit ${lsn}`)
      expected += 1
    }
  }
  if (expected !== opened.lsn + 1) throw gap(expected, opened.lsn)
  return expected - from
}

async function loadQueues(
  store: Store,
  state: EngineState,
): Promise<{ value: undefined; counts: Record<string, number> }> {
  await eachEntry(store, 'queue', ([key, value]) => {
    const record = readOrRefuse(() => decodeQueue(key, value), 'a queue record')
    const settings: QueueSettings = { ...DEFAULT_QUEUE_SETTINGS, ...record.settings }
    const { number, name, paused, pauseReason } = record
    const by = { atMs: 0, actor: 'recovery' }
    apply(state, { kind: 'queue-created', number, name, settings, ...by })
    if (paused)
      apply(state, { kind: 'queue-changed', number, settings, paused, pauseReason, ...by })
  })
  return { value: undefined, counts: { queues: state.queuesByNumber.size } }
}

async function loadSessions(
  store: Store,
  state: EngineState,
): Promise<{ value: undefined; counts: Record<string, number> }> {
  await eachEntry(store, 'session', ([key, value]) => {
    const record = readOrRefuse(() => decodeSession(key, value), 'a session record')
    const id = Uint8Array.from(Buffer.from(record.id, 'hex'))
    const { principal, worker } = record
    const { tickMs } = state
    apply(state, { kind: 'session-opened', id, principal, worker, tickMs, atMs: 0 })
  })
  return { value: undefined, counts: { sessions: state.sessionsByKey.size } }
}

interface StoredTask {
  readonly restored: RestoredTask
  readonly lease: RestoredLease | undefined
}

async function loadTasks(
  store: Store,
  state: EngineState,
): Promise<{ value: undefined; counts: Record<string, number> }> {
  const profiles = new ProfileReader(state)
  const held: (StoredTask & { readonly lease: RestoredLease })[] = []
  await eachEntry(store, 'task', (entry) => {
    const { restored, lease } = readTask(state, profiles, entry)
    if (lease === undefined) restoreTask(state, restored, undefined)
    else held.push({ restored, lease })
  })
  // As they were granted: so a session lists its leases, and answers a claim that is sent again.
  held.sort((one, other) => one.lease.token - other.lease.token)
  for (const { restored, lease } of held) restoreTask(state, restored, lease)
  const counts = { tasks: state.tasks.count, leases: state.leases.count }
  return { value: undefined, counts }
}

function readTask(state: EngineState, profiles: ProfileReader, [key, value]: Entry): StoredTask {
  const id = taskIdOfKey(key)
  const { core, profile, lease, cancelNote } = readOrRefuse(
    () => {
      unseal(key, value, TASK_RECORD_VERSION)
      const record = decodeTask(new ByteReader(value, SEAL_BYTES))
      return { ...record, profile: soundProfile(id, record.core, profiles) }
    },
    () => `the record of task ${formatTaskId(id)}`,
  )
  return {
    restored: { ...core, id, profile, cancelNote },
    lease: lease === undefined ? undefined : leaseOf(state, lease),
  }
}

/** The profile of a record that does not contradict itself or the rest of the store. */
function soundProfile(id: Uint8Array, core: TaskCore, profiles: ProfileReader): Profile {
  const profile = profiles.read(core.profileText)
  if (profile === undefined) throw new CorruptRecordError('it names a queue that does not exist')
  if (!isTaskIdBytes(id) || slotOfTaskId(id) !== profile.queue.slot) {
    throw new CorruptRecordError(`its id is not one of queue "${profile.queue.name}"`)
  }
  if (isTerminal(core.state)) throw new CorruptRecordError(`a live task is ${core.state}`)
  return profile
}

function leaseOf(state: EngineState, record: LeaseRecord): RestoredLease {
  const key = Buffer.from(record.session).toString('hex')
  const session = state.sessionsByKey.get(key)
  if (session === undefined) {
    throw new StoreError('CORRUPT', `a lease names session ${key}, which the store does not know`)
  }
  state.lastToken = Math.max(state.lastToken, record.token)
  return { ...record, session: session.index }
}

/** Profiles by their text; most tasks in a row have the same. */
class ProfileReader {
  readonly #state: EngineState
  readonly #read = new Map<string, Profile | undefined>()

  constructor(state: EngineState) {
    this.#state = state
  }

  read(text: string): Profile | undefined {
    const known = this.#state.profiles.find(text) ?? this.#read.get(text)
    if (known !== undefined) return known
    const parsed = parseProfile(text, (number) => this.#state.queuesByNumber.get(number))
    this.#read.set(text, parsed)
    return parsed
  }
}

async function eachEntry(
  store: Store,
  family: 'queue' | 'session' | 'task',
  visit: (entry: Entry) => void,
): Promise<void> {
  for await (const page of store.load(familyRange(family), PAGE_SIZE)) {
    for (const entry of page) visit(entry)
  }
}

/** @param what Names the record; only asked for when it cannot be read, for there are millions. */
function readOrRefuse<T>(read: () => T, what: string | (() => string)): T {
  try {
    return read()
  } catch (error) {
    if (!isDamage(error)) throw error
    const name = typeof what === 'string' ? what : what()
    throw new StoreError('CORRUPT', `${name} is damaged: ${error.message}`, error)
  }
}

function gap(expected: number, found: number): StoreError {
  return new StoreError(
    'GAP',
    `commit ${expected} is missing though commit ${found} is there: acknowledged work was lost`,
  )
}
