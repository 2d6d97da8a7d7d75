// The header and the footer of a backup, taken from bytes that anybody may have written.

import { limits } from '@tq/core'
import { BACKUP_VERSION, type BackupFooter, type BackupHeader } from '../storage/backup-format.ts'
import { FORMAT_VERSION } from '../storage/head-record.ts'
import { FAMILIES } from '../storage/key.ts'

/** Some hundred bytes are enough for either; more is not even parsed. */
const END_BYTES_MAX = 65_536
/** The last moment of a Date, in ms. */
const DATE_MS_MAX = 8.64e15
/** Above every epoch that a store comes to. */
const EPOCH_MAX = limits.TOKEN_MAX / limits.TOKENS_PER_EPOCH
/** Printed, so nothing but what is seen. */
const VERSION = /^[\x21-\x7e]{1,64}$/

type Fields = Readonly<Record<string, unknown>>

/** @throws {RangeError | SyntaxError | TypeError} */
export function parseHeader(body: Uint8Array): BackupHeader {
  const fields = fieldsOf(body)
  const backupVersion = wholeNumber(fields, 'backupVersion', { min: 1 })
  const formatVersion = wholeNumber(fields, 'formatVersion', { min: 1 })
  const version = text(fields, 'version', VERSION)
  // Before the rest, which a later version may write in another way.
  if (backupVersion > BACKUP_VERSION || formatVersion > FORMAT_VERSION) {
    throw new RangeError(
      `it was made by tq ${version} (backup ${backupVersion}, format ${formatVersion}); this one ` +
        `knows up to ${BACKUP_VERSION} and ${FORMAT_VERSION}. Use that version or a later one`,
    )
  }
  return {
    backupVersion,
    formatVersion,
    version,
    storeId: text(fields, 'storeId', /^[0-9a-f]{32}$/),
    atMs: wholeNumber(fields, 'atMs', { max: DATE_MS_MAX }),
  }
}

/** @throws {RangeError | SyntaxError | TypeError} */
export function parseFooter(body: Uint8Array): BackupFooter {
  const fields = fieldsOf(body)
  return {
    epoch: wholeNumber(fields, 'epoch', { max: EPOCH_MAX }),
    lsn: wholeNumber(fields, 'lsn'),
    chunks: wholeNumber(fields, 'chunks'),
    entries: countsOf(fields),
    sha256: text(fields, 'sha256', /^[0-9a-f]{64}$/),
  }
}

function fieldsOf(body: Uint8Array): Fields {
  if (body.length > END_BYTES_MAX) {
    throw new RangeError(`it has ${body.length} bytes, and may have ${END_BYTES_MAX}`)
  }
  return asFields(JSON.parse(Buffer.from(body).toString()), 'its JSON')
}

function countsOf(fields: Fields): BackupFooter['entries'] {
  const counts = asFields(own(fields, 'entries'), 'entries')
  for (const family of Object.keys(counts)) {
    if (!Object.hasOwn(FAMILIES, family)) throw new RangeError('entries has an unknown family')
    wholeNumber(counts, family)
  }
  return counts as BackupFooter['entries']
}

function asFields(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new TypeError(`${name} is no object`)
}

function wholeNumber(
  fields: Fields,
  name: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): number {
  const value = own(fields, name)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value
  }
  throw new RangeError(`${name} is no whole number from ${min} to ${max}`)
}

function text(fields: Fields, name: string, pattern: RegExp): string {
  const value = own(fields, name)
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new RangeError(`${name} is not a text like ${pattern.source}`)
}

/** Not what every object inherits. */
function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}
