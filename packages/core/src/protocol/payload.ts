// Payloads and results as MessagePack: what SDKs put into the bytes that the broker never reads.

import { Packr, Unpackr } from 'msgpackr'
import { TqError } from '../error.ts'

/**
 * Plain MessagePack that every language reads: no records, no references, undefined as nil. Integers
 * beyond 2^53 come back as bigint, because as a number they would be wrong.
 */
const packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: true })
const unpackr = new Unpackr({
  useRecords: false,
  structuredClone: false,
  int64AsType: 'auto' as 'number', // its types do not list what it documents
})

/**
 * The bytes of a value: plain objects, arrays, maps, strings, numbers, bytes, dates, bigints.
 * @throws {TqError} `BAD_REQUEST` if the value cannot be written, such as a function or a cycle.
 */
export function encodePayload(value: unknown): Uint8Array {
  try {
    return packr.pack(value)
  } catch (error) {
    throw new TqError('BAD_REQUEST', `the value cannot be sent: ${textOf(error)}`, {}, error)
  }
}

/**
 * The value in the bytes of a payload or result.
 * @throws {TqError} `BAD_REQUEST` if they are not MessagePack; then use the bytes themselves.
 */
export function decodePayload(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes)
  } catch (error) {
    throw new TqError('BAD_REQUEST', `the bytes are no MessagePack: ${textOf(error)}`, {}, error)
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
