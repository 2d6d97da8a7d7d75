// Every value on disk is sealed: a checksum bound to its key, a format version, then the body.

import { checksum } from './crc.ts'

/** Bytes before the body: checksum (4) and version (1). */
export const SEAL_BYTES = 5
const VERSION_AT = 4

/** A value whose checksum does not fit its key and bytes, or whose body makes no sense. */
export class CorruptRecordError extends Error {
  override readonly name = 'CorruptRecordError'
}

/** True for what reading a damaged record throws; anything else is a bug of ours. */
export function isDamage(error: unknown): error is Error {
  return (
    error instanceof CorruptRecordError ||
    error instanceof RangeError ||
    error instanceof SyntaxError ||
    error instanceof TypeError
  )
}

/** Writes checksum and version into the first bytes of a value whose body is in place. */
export function seal(key: Uint8Array, value: Uint8Array, version: number): void {
  value[VERSION_AT] = version
  const sum = checksum(key, value, VERSION_AT, value.length)
  value[0] = sum >>> 24
  value[1] = (sum >>> 16) & 0xff
  value[2] = (sum >>> 8) & 0xff
  value[3] = sum & 0xff
}

/**
 * The version of a value whose checksum holds and whose version is known, 1 to `versionMax`: what a
 * later version has written is refused, not guessed at. @throws {CorruptRecordError}
 */
export function unseal(key: Uint8Array, value: Uint8Array, versionMax: number): number {
  const name = Buffer.from(key).toString('hex')
  if (!isSealed(key, value)) throw new CorruptRecordError(`checksum of key ${name} does not fit`)
  const version = value[VERSION_AT] as number
  if (version >= 1 && version <= versionMax) return version
  throw new CorruptRecordError(`key ${name} has version ${version}, known are 1 to ${versionMax}`)
}

export function isSealed(key: Uint8Array, value: Uint8Array): boolean {
  if (value.length < SEAL_BYTES) return false
  const stored =
    (((value[0] as number) << 24) |
      ((value[1] as number) << 16) |
      ((value[2] as number) << 8) |
      (value[3] as number)) >>>
    0
  return stored === checksum(key, value, VERSION_AT, value.length)
}

/** A sealed value whose body is JSON: for records that are small and rare. */
export function sealJson(key: Uint8Array, body: unknown, version: number): Uint8Array {
  const text = Buffer.from(JSON.stringify(body))
  const value = new Uint8Array(SEAL_BYTES + text.length)
  value.set(text, SEAL_BYTES)
  seal(key, value, version)
  return value
}

/** The inverse of {@link sealJson}. @throws {CorruptRecordError} */
export function unsealJson(key: Uint8Array, value: Uint8Array, versionMax: number): unknown {
  unseal(key, value, versionMax)
  return JSON.parse(Buffer.from(value.subarray(SEAL_BYTES)).toString())
}
