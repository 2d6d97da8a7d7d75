// Which table files belong to a LevelDB database now: what its manifest says, edit by edit.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { maskedCrc32c } from './crc32c.ts'
import { isMissing, readTextIfAny } from './durable-file.ts'
import { LevelBytes, LevelFormatError, uint32At } from './level-bytes.ts'

/** A log is a row of blocks of this size; a record that does not fit goes on in the next one. */
const BLOCK_BYTES = 32 * 1024
/** Before each piece of a record: checksum (4), length (2), kind (1). */
const PIECE_HEAD_BYTES = 7
const PIECE = { full: 1, first: 2, middle: 3, last: 4 } as const
/** What an edit may hold, by the numbers that LevelDB gives it. */
const EDIT = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  prevLogNumber: 9,
} as const

export interface LiveTable {
  readonly number: number
  readonly bytes: number
}

/**
 * The live tables, the newest first; undefined if there is no manifest, or none that makes sense:
 * LevelDB says that better, and does not open then. What the system would not read may be read a
 * moment later, and LevelDB would open: that must not pass for a store without tables.
 */
export async function liveTables(store: string): Promise<readonly LiveTable[] | undefined> {
  try {
    const name = (await readFile(join(store, 'CURRENT'), 'utf8')).trim()
    if (!MANIFEST_NAME.test(name)) return undefined
    const manifest = new Uint8Array(await readFile(join(store, name)))
    const tables = new Map<number, number>()
    for (const edit of recordsOf(manifest)) applyEdit(tables, edit)
    const live = [...tables].map(([number, bytes]) => ({ number, bytes }))
    return live.sort((one, other) => other.number - one.number)
  } catch (error) {
    if (error instanceof LevelFormatError || isMissing(error)) return undefined
    throw error
  }
}

/**
 * What LevelDB would not open without, and say so as if the system had failed: `… is missing`, or
 * `… is damaged`. Undefined if it is there.
 */
export async function lostFile(store: string): Promise<string | undefined> {
  const current = join(store, 'CURRENT')
  const text = await readTextIfAny(current)
  if (text === undefined) return `${current} is missing`
  const name = text.trim()
  if (!MANIFEST_NAME.test(name)) return `${current} is damaged`
  const names = await readdir(store)
  return names.includes(name) ? undefined : `${join(store, name)} is missing`
}

const MANIFEST_NAME = /^MANIFEST-\d+$/

function applyEdit(tables: Map<number, number>, edit: Uint8Array): void {
  const reader = new LevelBytes(edit)
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    switch (tag) {
      case EDIT.comparator:
        reader.slice()
        break
      case EDIT.logNumber:
      case EDIT.prevLogNumber:
      case EDIT.nextFile:
      case EDIT.lastSequence:
        reader.skipVarint()
        break
      case EDIT.compactPointer:
        reader.varint()
        reader.slice()
        break
      case EDIT.deletedFile:
        reader.varint()
        tables.delete(reader.varint())
        break
      case EDIT.newFile: {
        reader.varint()
        const number = reader.varint()
        tables.set(number, reader.varint())
        reader.slice()
        reader.slice()
        break
      }
      default:
        throw new LevelFormatError(`an edit of kind ${tag}`)
    }
  }
}

/** The records of a log, put together; ends where LevelDB ends. @throws {LevelFormatError} */
function* recordsOf(log: Uint8Array): Generator<Uint8Array> {
  let pieces: Uint8Array[] = []
  let at = 0
  while (at + PIECE_HEAD_BYTES <= log.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < PIECE_HEAD_BYTES) {
      at += left
      continue
    }
    const length = (log[at + 4] as number) | ((log[at + 5] as number) << 8)
    const kind = log[at + 6] as number
    const end = at + PIECE_HEAD_BYTES + length
    if (kind === 0 && length === 0) {
      // Room that was never written.
      at += left
      continue
    }
    if (end > log.length) return
    if (uint32At(log, at) !== maskedCrc32c(log, at + PIECE_HEAD_BYTES - 1, end)) {
      throw new LevelFormatError('a record of the manifest is damaged')
    }
    if (kind === PIECE.full || kind === PIECE.first) pieces = []
    pieces.push(log.subarray(at + PIECE_HEAD_BYTES, end))
    if (kind === PIECE.full || kind === PIECE.last) yield Buffer.concat(pieces)
    at = end
  }
}
