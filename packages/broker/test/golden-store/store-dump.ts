// All that a store holds, as JSON that people can read and a test can compare.

import { createHash } from 'node:crypto'
import { formatTaskId, type TaskIdBytes } from '@tq/core'
import { FACT_KINDS } from '../../src/engine/fact.ts'
import { hexOf } from '../../src/engine/held.ts'
import { decodeJournal } from '../../src/storage/journal-record.ts'
import {
  type Family,
  familyRange,
  FAMILIES,
  lsnOfJournalKey,
  parseDedupeByAgeKey,
  parseDoneByEndKey,
  taskIdOfKey,
} from '../../src/storage/key.ts'
import type { Entry } from '../../src/storage/port.ts'
import { decodeDedupe, decodeEngine } from '../../src/storage/registry-record.ts'
import { ENGINE_KEY } from '../../src/storage/key.ts'
import { dumpState } from '../state-dump.ts'
import type { StoredEngine } from '../stored-engine.ts'

const FACT_NAMES = new Map(Object.entries(FACT_KINDS).map(([name, { code }]) => [code, name]))
/** Facts whose entries in the journal are packed numbers unless they begin like JSON. */
const JSON_BEGIN = 0x7b

/** Dumps a store that was just opened. */
export async function dumpStore(stored: StoredEngine): Promise<unknown> {
  const { opened, state, store } = stored
  const [engine] = await store.getMany([ENGINE_KEY])
  const dump = {
    epoch: opened.ownership.epoch,
    lsn: opened.lsn,
    engine: engine === undefined ? 'missing' : decodeEngine(ENGINE_KEY, engine),
    records: await countsOf(stored),
    state: dumpState(state),
    ended: await dumpEnded(stored),
    payloads: await dumpPayloads(stored),
    byEnd: (await entriesOf(stored, 'doneByEnd')).map(([key]) => parseDoneByEndKey(key)),
    byAge: (await entriesOf(stored, 'dedupeByAge')).map(([key]) => parseDedupeByAgeKey(key)),
    dedupe: (await entriesOf(stored, 'dedupe')).map(([key, value]) => ({
      key: Buffer.from(key.subarray(7)).toString(),
      ...decodeDedupe(key, value),
    })),
    journal: await dumpJournal(stored),
  }
  return plain(dump)
}

async function countsOf(stored: StoredEngine): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (const family of Object.keys(FAMILIES) as Family[]) {
    counts[family] = (await entriesOf(stored, family)).length
  }
  return counts
}

async function dumpEnded(stored: StoredEngine): Promise<unknown[]> {
  const ids = (await entriesOf(stored, 'done')).map(([key]) => taskIdOfKey(key))
  const ended = await stored.lookup.ended(ids)
  const dumps: unknown[] = []
  for (const { profile, ...task } of ended.values()) {
    const history = await stored.lookup.history(task.id, task.chapters)
    dumps.push({ queue: profile.queue.name, profile: profile.text, ...task, history })
  }
  return dumps
}

async function dumpPayloads(stored: StoredEngine): Promise<unknown[]> {
  const ids = (await entriesOf(stored, 'payload')).map(([key]) => taskIdOfKey(key))
  const records = await stored.lookup.payloads(ids)
  const live = await liveHistories(stored)
  return ids.map((id, index) => {
    const { meta, payload } = records[index] ?? { meta: 'unreadable', payload: new Uint8Array(0) }
    const sha256 = createHash('sha256').update(payload).digest('hex')
    const history = live.get(hexOf(id))
    return {
      id,
      meta,
      bytes: payload.length,
      sha256,
      ...(history === undefined ? {} : { history }),
    }
  })
}

/** Histories of live tasks, by the hex text of their ids. */
async function liveHistories(stored: StoredEngine): Promise<Map<string, unknown>> {
  const histories = new Map<string, unknown>()
  for (const [key] of await entriesOf(stored, 'task')) {
    const id = taskIdOfKey(key)
    const chapters = stored.state.tasks.chapters(stored.row(id))
    const history = await stored.lookup.history(id, chapters)
    if (history.length > 0) histories.set(hexOf(id), history)
  }
  return histories
}

async function dumpJournal(stored: StoredEngine): Promise<unknown[]> {
  return (await entriesOf(stored, 'journal')).map(([key, value]) => {
    const { wallMs, tickMs, entries } = decodeJournal(key, value)
    const facts = entries.map(({ code, id, rest }) => ({
      fact: FACT_NAMES.get(code) ?? `number ${code}`,
      ...(id.every((byte) => byte === 0) ? {} : { task: formatTaskId(id) }),
      told: rest[0] === JSON_BEGIN ? (JSON.parse(Buffer.from(rest).toString()) as unknown) : rest,
    }))
    return { lsn: lsnOfJournalKey(key), wallMs, tickMs, facts }
  })
}

async function entriesOf(stored: StoredEngine, family: Family): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const page of stored.store.load(familyRange(family), 1_000)) entries.push(...page)
  return entries
}

/** Plain JSON: bytes as hex text, ids of tasks as people know them. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return value.length === 16 ? textOfId(value) : Buffer.from(value).toString('hex')
  }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, plain(field)]),
  )
}

function textOfId(id: TaskIdBytes): string {
  return (id[6] ?? 0) >>> 4 === 7 ? formatTaskId(id) : hexOf(id)
}
