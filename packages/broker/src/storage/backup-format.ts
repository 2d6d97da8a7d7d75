// A backup as a file: a header, chunks of entries, a footer; each part sealed by a checksum.

import { createHash, type Hash } from 'node:crypto'
import { ByteWriter } from './byte-writer.ts'
import { checksum } from './crc.ts'
import { FAMILIES, type Family } from './key.ts'
import type { Entry } from './port.ts'

export const BACKUP_VERSION = 1
/** What a backup begins with. */
export const BACKUP_MAGIC: Uint8Array = new TextEncoder().encode('tqbackup')
/** Kind (1), length of the body (4), number of the part (4), checksum (4). */
export const PART_HEADER_BYTES = 13
export const PARTS = { header: 1, chunk: 2, footer: 3 } as const
/** Far above a page of the store with its largest record, a commit's journal: longer is no part. */
export const PART_BYTES_MAX: number = 64 * 1024 * 1024

/** What is known of a backup before it is made. */
export interface BackupHeader {
  readonly backupVersion: number
  /** The format of the store. */
  readonly formatVersion: number
  readonly storeId: string
  /** The version of tq that made it. */
  readonly version: string
  readonly atMs: number
}

/** What is known of it at the end. */
export interface BackupFooter {
  readonly epoch: number
  /** The last commit that is in it, with all before it. */
  readonly lsn: number
  readonly chunks: number
  /** Entries by family. */
  readonly entries: Readonly<Record<string, number>>
  /** Of all bytes before the footer, in hex. */
  readonly sha256: string
}

/** Makes the bytes of a backup, part by part, in the order in which they stand in the file. */
export class BackupWriter {
  readonly #hash: Hash = createHash('sha256')
  readonly #entries: Record<string, number> = {}
  #partCount = 0
  #chunks = 0

  header(header: BackupHeader): Uint8Array {
    const part = this.#part(PARTS.header, Buffer.from(JSON.stringify(header)))
    const bytes = Buffer.concat([BACKUP_MAGIC, part])
    this.#hash.update(bytes)
    return bytes
  }

  chunk(entries: readonly Entry[]): Uint8Array {
    for (const [key] of entries) {
      const family = familyOf(key)
      this.#entries[family] = (this.#entries[family] ?? 0) + 1
    }
    this.#chunks += 1
    const part = this.#part(PARTS.chunk, bodyOf(entries))
    this.#hash.update(part)
    return part
  }

  footer({ epoch, lsn }: { readonly epoch: number; readonly lsn: number }): Uint8Array {
    const footer: BackupFooter = {
      epoch,
      lsn,
      chunks: this.#chunks,
      entries: this.#entries,
      sha256: this.#hash.digest('hex'),
    }
    return this.#part(PARTS.footer, Buffer.from(JSON.stringify(footer)))
  }

  #part(kind: number, body: Uint8Array): Uint8Array {
    const part = new Uint8Array(PART_HEADER_BYTES + body.length)
    const view = new DataView(part.buffer)
    view.setUint8(0, kind)
    view.setUint32(1, body.length)
    view.setUint32(5, this.#partCount)
    this.#partCount += 1
    part.set(body, PART_HEADER_BYTES)
    view.setUint32(9, partChecksum(part))
    return part
  }
}

/** Of the kind, the length and the number of a part, then of its body. */
export function partChecksum(part: Uint8Array): number {
  return checksum(part.subarray(0, 9), part, PART_HEADER_BYTES, part.length)
}

function entryBytes([key, value]: Entry): number {
  return 6 + key.length + value.length
}

export function familyOf(key: Uint8Array): Family | 'unknown' {
  const names = Object.keys(FAMILIES) as Family[]
  return names.find((name) => FAMILIES[name] === key[0]) ?? 'unknown'
}

/** Each entry: length of the key (2), length of the value (4), key, value. */
function bodyOf(entries: readonly Entry[]): Uint8Array {
  const writer = new ByteWriter()
  writer.begin(entries.reduce((bytes, entry) => bytes + entryBytes(entry), 0))
  for (const [key, value] of entries) {
    writer.u16(key.length)
    writer.u32(value.length)
    writer.bytes(key)
    writer.bytes(value)
  }
  return writer.end()
}
