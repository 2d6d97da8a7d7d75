// What an entry must be to go into a backup, and to come out of one.

import { familyOf } from './backup-format.ts'
import { isBare, KEY_ONLY } from './bare-value.ts'
import { HEAD_KEY } from './head-record.ts'
import type { Family } from './key.ts'
import type { Entry } from './port.ts'
import { isSealed } from './sealed.ts'

/** Bytes of a key by family, from and to: a part has no room for a length above 65,535. */
const KEY_BYTES: Readonly<Record<Family, readonly [min: number, max: number]>> = {
  meta: [2, 64],
  task: [19, 19],
  payload: [19, 19],
  done: [19, 19],
  doneByEnd: [32, 32],
  history: [23, 23],
  dedupe: [8, 65_535],
  dedupeByAge: [18, 65_535],
  queue: [7, 7],
  session: [19, 19],
  journal: [11, 11],
}

/** Keys hold what people chose, of any length: the beginning is enough to find it by. */
const KEY_SHOWN_BYTES = 64

/** What is wrong with an entry, in words that name its key; undefined if nothing is. */
export function flawOf([key, value]: Entry): string | undefined {
  const family = familyOf(key)
  if (family === 'unknown') return `key ${hexOf(key)} is of no known family`
  const [min, max] = KEY_BYTES[family]
  if (key.length < min || key.length > max) {
    return `key ${hexOf(key)} has ${key.length} bytes, which no ${family} key has`
  }
  if (Buffer.compare(key, HEAD_KEY) === 0) return 'it holds a head, which no backup does'
  if (KEY_ONLY.has(family)) {
    return isBare(value) ? undefined : `key ${hexOf(key)} has a value where none belongs`
  }
  return isSealed(key, value) ? undefined : `the checksum of key ${hexOf(key)} does not fit`
}

function hexOf(key: Uint8Array): string {
  const hex = Buffer.from(key.subarray(0, KEY_SHOWN_BYTES)).toString('hex')
  return key.length > KEY_SHOWN_BYTES ? `${hex}…` : hex
}
