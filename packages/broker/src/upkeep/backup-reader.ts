// Reads a backup part by part, and trusts none of it before its checksum fits.

import { createHash } from 'node:crypto'
import { open, type FileHandle, stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { flawOf } from '../storage/backup-entry.ts'
import {
  BACKUP_MAGIC,
  type BackupFooter,
  type BackupHeader,
  familyOf,
  PART_BYTES_MAX,
  PART_HEADER_BYTES,
  partChecksum,
  PARTS,
} from '../storage/backup-format.ts'
import { ByteReader } from '../storage/byte-reader.ts'
import { isMissing } from '../storage/durable-file.ts'
import { FAMILIES, lsnOfJournalKey } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import { isDamage } from '../storage/sealed.ts'
import { parseFooter, parseHeader } from './backup-ends.ts'
import { Refused } from './refused.ts'

export interface ReadBackup {
  readonly header: BackupHeader
  readonly footer: BackupFooter
  readonly bytes: number
}

/**
 * Reads a whole backup and hands over its entries, chunk by chunk.
 * @throws {Refused} `not-found`, or `bad-backup` at the first thing that is wrong.
 */
export async function readBackup(
  path: string,
  visit: (entries: readonly Entry[], header: BackupHeader) => Promise<void> | void,
): Promise<ReadBackup> {
  const file = await openBackup(path)
  try {
    return await new BackupReader(path, file).read(visit)
  } finally {
    await file.close()
  }
}

class BackupReader {
  readonly #path: string
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  readonly #entries: Record<string, number> = {}
  #at = 0
  #partCount = 0
  #chunks = 0
  #lastKey: Uint8Array = new Uint8Array(0)
  #lastLsn = 0

  constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  async read(
    visit: (entries: readonly Entry[], header: BackupHeader) => Promise<void> | void,
  ): Promise<ReadBackup> {
    const magic = await this.#bytes(BACKUP_MAGIC.length)
    if (Buffer.compare(magic, BACKUP_MAGIC) !== 0) throw this.#bad('it is no backup of tq')
    this.#hash.update(magic)
    const header = await this.#header()
    for (;;) {
      const { kind, part } = await this.#part()
      if (kind === PARTS.footer) {
        const footer = this.#footer(part)
        const { size } = await this.#file.stat()
        if (size !== this.#at) throw this.#bad('something follows behind its footer')
        return { header, footer, bytes: size }
      }
      if (kind !== PARTS.chunk) throw this.#bad(`part ${this.#partCount - 1} is of no known kind`)
      this.#hash.update(part)
      this.#chunks += 1
      await visit(
        this.#sound(() => this.#entriesOf(part)),
        header,
      )
    }
  }

  async #header(): Promise<BackupHeader> {
    const { kind, part } = await this.#part()
    if (kind !== PARTS.header) throw this.#bad('it does not begin with a header')
    this.#hash.update(part)
    return this.#sound(() => parseHeader(bodyOf(part)))
  }

  #footer(part: Uint8Array): BackupFooter {
    const footer = this.#sound(() => parseFooter(bodyOf(part)))
    if (footer.sha256 !== this.#hash.digest('hex')) throw this.#bad('its SHA-256 does not fit')
    const isSame = isDeepStrictEqual(footer.entries, this.#entries)
    if (footer.chunks !== this.#chunks || !isSame) {
      throw this.#bad('its footer counts other entries than there are')
    }
    if (footer.lsn >= this.#lastLsn) return footer
    throw this.#bad(`its footer names commit ${footer.lsn}, and it holds commit ${this.#lastLsn}`)
  }

  async #part(): Promise<{ readonly kind: number; readonly part: Uint8Array }> {
    const head = await this.#bytes(PART_HEADER_BYTES)
    const view = new DataView(head.buffer, head.byteOffset, head.length)
    const length = view.getUint32(1)
    if (length > PART_BYTES_MAX) throw this.#bad(`part ${this.#partCount} has no sensible length`)
    const part = Buffer.concat([head, await this.#bytes(length)])
    if (view.getUint32(9) !== partChecksum(part)) {
      throw this.#bad(`the checksum of part ${this.#partCount} does not fit`)
    }
    if (view.getUint32(5) !== this.#partCount) {
      throw this.#bad(`part ${view.getUint32(5)} stands where part ${this.#partCount} belongs`)
    }
    this.#partCount += 1
    return { kind: head[0] ?? 0, part }
  }

  #entriesOf(part: Uint8Array): readonly Entry[] {
    const entries: Entry[] = []
    const reader = new ByteReader(part, PART_HEADER_BYTES)
    for (let at = PART_HEADER_BYTES; at < part.length;) {
      const keyBytes = reader.u16()
      const valueBytes = reader.u32()
      const key = reader.view(keyBytes)
      const entry = [key, reader.view(valueBytes)] as const
      this.#check(entry)
      entries.push(entry)
      const family = familyOf(key)
      this.#entries[family] = (this.#entries[family] ?? 0) + 1
      at += 6 + keyBytes + valueBytes
    }
    return entries
  }

  /** The checksum of a part says that it is as it was written, not that it was sound then. */
  #check(entry: Entry): void {
    const flaw = flawOf(entry)
    if (flaw !== undefined) throw this.#bad(flaw)
    const [key] = entry
    if (Buffer.compare(this.#lastKey, key) >= 0) {
      throw this.#bad(`key ${Buffer.from(key).toString('hex')} is twice in it, or out of order`)
    }
    this.#lastKey = key
    if (key[0] === FAMILIES.journal) this.#lastLsn = lsnOfJournalKey(key)
  }

  /** What `parse` gives; whatever makes no sense to it is a fault of the backup. */
  #sound<T>(parse: () => T): T {
    try {
      return parse()
    } catch (error) {
      if (!isDamage(error)) throw error
      throw this.#bad(`part ${this.#partCount - 1}: ${error.message}`)
    }
  }

  async #bytes(length: number): Promise<Uint8Array> {
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await this.#file.read(bytes, 0, length, this.#at)
    if (bytesRead !== length) throw this.#bad(`it is cut short after ${this.#at + bytesRead} bytes`)
    this.#at += length
    return bytes
  }

  #bad(what: string): Refused {
    const text = `${this.#path} cannot be restored: ${what}. Take another backup.`
    return new Refused('bad-backup', text)
  }
}

function bodyOf(part: Uint8Array): Uint8Array {
  return part.subarray(PART_HEADER_BYTES)
}

async function openBackup(path: string): Promise<FileHandle> {
  try {
    // Asked first: to open a pipe waits until somebody writes into it.
    if ((await stat(path)).isFile()) return await open(path, 'r')
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new Refused('not-found', `${path} does not exist`)
  }
  throw new Refused('bad-backup', `${path} is no file. Name the file that "store backup" wrote.`)
}
