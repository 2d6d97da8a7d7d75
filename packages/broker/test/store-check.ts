// What a store must hold at rest: no record without those that belong to it, none twice, none left.

import { isTerminal } from '@tq/core'
import { hexOf } from '../src/engine/held.ts'
import { parseProfile } from '../src/engine/profile.ts'
import type { EngineState } from '../src/engine/state.ts'
import { decodeDone } from '../src/storage/done-record.ts'
import { decodeChapter, keptHistoryKeys } from '../src/storage/history-record.ts'
import { decodeJournal } from '../src/storage/journal-record.ts'
import {
  doneByEndKey,
  FAMILIES,
  type Family,
  journalKey,
  parseDedupeByAgeKey,
  queueKey,
  sessionRecordKey,
  taskIdOfKey,
  taskKey,
} from '../src/storage/key.ts'
import { decodePayloadRecord } from '../src/storage/payload-record.ts'
import type { Entry, KeyRange } from '../src/storage/port.ts'
import { decodeDedupe, decodeQueue, decodeSession } from '../src/storage/registry-record.ts'

const ALL = { from: Uint8Array.of(0), to: Uint8Array.of(0xff) }

/** All that a store holds: an image in memory, or what was read from a disk. */
interface Records {
  entries(range: KeyRange): Iterable<Entry>
}

/** Keys of a store as hex text, by family, with their values. */
export type Contents = Readonly<Record<Family, ReadonlyMap<string, Uint8Array>>>

export function contentsOf(image: Records): Contents {
  const contents = Object.fromEntries(
    Object.keys(FAMILIES).map((family) => [family, new Map<string, Uint8Array>()]),
  ) as Record<Family, Map<string, Uint8Array>>
  const names = Object.entries(FAMILIES) as [Family, number][]
  for (const [key, value] of image.entries(ALL)) {
    const family = names.find(([, byte]) => byte === key[0])?.[0]
    if (family === undefined) throw new Error(`key ${hexOf(key)} belongs to no family`)
    contents[family].set(hexOf(key), value)
  }
  return contents
}

/** What is wrong with a store whose last commit wrote this state; empty if all is well. */
export function faultsOf(
  image: Records,
  state: EngineState,
  journal: { readonly fromLsn: number; readonly lsn: number },
): string[] {
  const contents = contentsOf(image)
  const expected = new Set<string>()
  const tasks = [...contents.task.keys()]
  for (const hex of tasks) expectLive(expected, state, bytesOf(hex))
  for (const [hex, value] of contents.done) expectEnded(expected, state, [bytesOf(hex), value])
  for (const queue of state.queuesByNumber.values()) {
    expected.add(hexOf(queueKey(queue.slot, queue.number)))
  }
  for (const session of state.sessionsByKey.values()) {
    expected.add(hexOf(sessionRecordKey(session.id)))
  }
  for (const hex of contents.dedupeByAge.keys()) {
    expected.add(hex)
    expected.add(hexOf(parseDedupeByAgeKey(bytesOf(hex)).dedupe))
  }
  for (let lsn = journal.fromLsn; lsn <= journal.lsn; lsn += 1) expected.add(hexOf(journalKey(lsn)))
  const found = new Set(allOf(contents).map(([hex]) => hex))
  return [
    ...[...expected].filter((hex) => !found.has(hex)).map((hex) => `${hex} is missing`),
    ...[...found].filter((hex) => !expected.has(hex)).map((hex) => `${hex} should not be there`),
    ...(tasks.length === state.liveCount ? [] : [`${tasks.length} live tasks are stored`]),
    ...unreadable(contents),
  ]
}

function expectLive(expected: Set<string>, state: EngineState, key: Uint8Array): void {
  const id = taskIdOfKey(key)
  expected.add(hexOf(taskKey('payload', id)))
  const row = state.index.find(id)
  if (row === undefined) return
  expected.add(hexOf(key))
  for (const chapter of keptHistoryKeys(id, state.tasks.chapters(row))) expected.add(hexOf(chapter))
}

function expectEnded(
  expected: Set<string>,
  state: EngineState,
  [key, value]: readonly [Uint8Array, Uint8Array],
): void {
  const id = taskIdOfKey(key)
  const profileOf = (text: string): ReturnType<typeof parseProfile> =>
    parseProfile(text, (number) => state.queuesByNumber.get(number))
  const { end, profile, chapters } = decodeDone(key, value, { id, profileOf })
  const { slot, number: queueNumber } = profile.queue
  const endClass = end.state === 'dead' ? 'dead' : 'done'
  expected.add(hexOf(key))
  expected.add(hexOf(doneByEndKey({ slot, queueNumber, endClass, endMs: end.atMs, id })))
  expected.add(hexOf(taskKey('payload', id)))
  for (const chapter of keptHistoryKeys(id, chapters)) expected.add(hexOf(chapter))
  if (state.index.find(id) !== undefined || !isTerminal(end.state)) expected.delete(hexOf(key))
}

/** Records that do not pass their own reader. */
function unreadable(contents: Contents): string[] {
  const readers: Partial<Record<Family, (key: Uint8Array, value: Uint8Array) => unknown>> = {
    payload: decodePayloadRecord,
    history: decodeChapter,
    dedupe: decodeDedupe,
    queue: decodeQueue,
    session: decodeSession,
    journal: decodeJournal,
  }
  const faults: string[] = []
  for (const [family, read] of Object.entries(readers)) {
    for (const [hex, value] of contents[family as Family]) {
      try {
        read(bytesOf(hex), value)
      } catch (error) {
        faults.push(`${hex} cannot be read: ${String(error)}`)
      }
    }
  }
  return faults
}

function allOf(contents: Contents): [string, Uint8Array][] {
  return Object.entries(contents)
    .filter(([family]) => family !== 'meta')
    .flatMap(([, entries]) => [...entries])
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
