// Keys: a family byte, the slot, then what orders the family. Byte order is the order we scan in.

import { slotOfTaskId, TASK_ID_BYTES } from '@tq/core'

/** The part of a column family is played by the first byte of the key. docs/storage.md has the map. */
export const FAMILIES = {
  meta: 0x00,
  task: 0x01,
  payload: 0x02,
  done: 0x03,
  doneByEnd: 0x04,
  history: 0x05,
  dedupe: 0x06,
  dedupeByAge: 0x07,
  queue: 0x08,
  session: 0x09,
  journal: 0x0a,
} as const

export type Family = keyof typeof FAMILIES

const SLOT_AT = 1
const AFTER_SLOT = 3
/** Families that do not belong to a queue live in slot 0. */
const NO_SLOT = 0

/** Key of the engine's own counters in the meta family. */
export const ENGINE_KEY: Uint8Array = Uint8Array.of(FAMILIES.meta, ...Buffer.from('engine'))

/** Key of a family that is ordered by task id: task, payload, done. */
export function taskKey(family: 'task' | 'payload' | 'done', id: Uint8Array): Uint8Array {
  const key = start(family, slotOfTaskId(id), TASK_ID_BYTES)
  key.set(id, AFTER_SLOT)
  return key
}

/** The task id at the end of a key of the families task, payload, done and done-by-end. */
export function taskIdOfKey(key: Uint8Array): Uint8Array {
  // A copy, so that an id does not hold a page of the disk in memory. On a Buffer slice() is none.
  return new Uint8Array(key.subarray(key.length - TASK_ID_BYTES))
}

export function historyKey(id: Uint8Array, chapter: number): Uint8Array {
  const key = start('history', slotOfTaskId(id), TASK_ID_BYTES + 4)
  key.set(id, AFTER_SLOT)
  viewOf(key).setUint32(AFTER_SLOT + TASK_ID_BYTES, chapter)
  return key
}

export function chapterOfHistoryKey(key: Uint8Array): number {
  return viewOf(key).getUint32(AFTER_SLOT + TASK_ID_BYTES)
}

/** Dead tasks are kept by a rule of their own, so they have an order of their own. */
export type EndClass = 'done' | 'dead'

export interface DoneByEnd {
  readonly slot: number
  readonly queueNumber: number
  readonly endClass: EndClass
  readonly endMs: number
  readonly id: Uint8Array
}

/** Kept terminal tasks of a queue, oldest end first. */
export function doneByEndKey(entry: DoneByEnd): Uint8Array {
  const key = start('doneByEnd', entry.slot, 4 + 1 + 8 + TASK_ID_BYTES)
  const view = viewOf(key)
  view.setUint32(AFTER_SLOT, entry.queueNumber)
  key[AFTER_SLOT + 4] = entry.endClass === 'dead' ? 1 : 0
  view.setBigUint64(AFTER_SLOT + 5, BigInt(entry.endMs))
  key.set(entry.id, AFTER_SLOT + 13)
  return key
}

export function parseDoneByEndKey(key: Uint8Array): DoneByEnd {
  const view = viewOf(key)
  return {
    slot: view.getUint16(SLOT_AT),
    queueNumber: view.getUint32(AFTER_SLOT),
    endClass: key[AFTER_SLOT + 4] === 1 ? 'dead' : 'done',
    endMs: Number(view.getBigUint64(AFTER_SLOT + 5)),
    id: taskIdOfKey(key),
  }
}

/** All kept terminal tasks of a queue and class. */
export function doneByEndRange(of: Pick<DoneByEnd, 'slot' | 'queueNumber' | 'endClass'>): {
  from: Uint8Array
  to: Uint8Array
} {
  const from = start('doneByEnd', of.slot, 5)
  viewOf(from).setUint32(AFTER_SLOT, of.queueNumber)
  from[AFTER_SLOT + 4] = of.endClass === 'dead' ? 1 : 0
  return { from, to: successor(from) }
}

export function dedupeKey(slot: number, queueNumber: number, key: string): Uint8Array {
  const text = Buffer.from(key)
  const bytes = start('dedupe', slot, 4 + text.length)
  viewOf(bytes).setUint32(AFTER_SLOT, queueNumber)
  bytes.set(text, AFTER_SLOT + 4)
  return bytes
}

/** The same records by their age, so that old ones are found without a search. */
export function dedupeByAgeKey(atMs: number, dedupe: Uint8Array): Uint8Array {
  const rest = dedupe.subarray(SLOT_AT)
  const key = start('dedupeByAge', NO_SLOT, 8 + rest.length)
  viewOf(key).setBigUint64(AFTER_SLOT, BigInt(atMs))
  key.set(rest, AFTER_SLOT + 8)
  return key
}

export function parseDedupeByAgeKey(key: Uint8Array): { atMs: number; dedupe: Uint8Array } {
  const rest = key.subarray(AFTER_SLOT + 8)
  const dedupe = new Uint8Array(1 + rest.length)
  dedupe[0] = FAMILIES.dedupe
  dedupe.set(rest, 1)
  return { atMs: Number(viewOf(key).getBigUint64(AFTER_SLOT)), dedupe }
}

export function queueKey(slot: number, queueNumber: number): Uint8Array {
  const key = start('queue', slot, 4)
  viewOf(key).setUint32(AFTER_SLOT, queueNumber)
  return key
}

export function sessionRecordKey(id: Uint8Array): Uint8Array {
  const key = start('session', NO_SLOT, id.length)
  key.set(id, AFTER_SLOT)
  return key
}

export function journalKey(lsn: number): Uint8Array {
  const key = start('journal', NO_SLOT, 8)
  viewOf(key).setBigUint64(AFTER_SLOT, BigInt(lsn))
  return key
}

export function lsnOfJournalKey(key: Uint8Array): number {
  return Number(viewOf(key).getBigUint64(AFTER_SLOT))
}

/** Every key of a family, or of one slot of it. */
export function familyRange(family: Family, slot?: number): { from: Uint8Array; to: Uint8Array } {
  const from = slot === undefined ? Uint8Array.of(FAMILIES[family]) : start(family, slot, 0)
  return { from, to: successor(from) }
}

/** The smallest key that is greater than all keys with this prefix. */
export function successor(prefix: Uint8Array): Uint8Array {
  for (let last = prefix.length - 1; last >= 0; last -= 1) {
    const byte = prefix[last] as number
    if (byte === 0xff) continue
    const next = new Uint8Array(prefix.subarray(0, last + 1))
    next[last] = byte + 1
    return next
  }
  return Uint8Array.of(0xff, 0xff)
}

function start(family: Family, slot: number, bytesAfter: number): Uint8Array {
  const key = new Uint8Array(AFTER_SLOT + bytesAfter)
  key[0] = FAMILIES[family]
  key[SLOT_AT] = slot >>> 8
  key[SLOT_AT + 1] = slot & 0xff
  return key
}

function viewOf(key: Uint8Array): DataView {
  return new DataView(key.buffer, key.byteOffset, key.byteLength)
}
