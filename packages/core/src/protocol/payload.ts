// Payloads and results as MessagePack: what SDKs put into the bytes that the broker never reads.

import { Packr, Unpackr } from 'msgpackr'
import { TqError } from '../error.ts'

/**
 * Plain MessagePack that every language reads: no records, no references, undefined as nil. Integers
 * beyond 2^53 come back as bigint, because as a number they would be wrong.
 */
const packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: true })
// Left alone it writes nil in the place of a function, and nobody hears of it.
Object.assign(packr, {
  writeFunction: () => {
    throw new TypeError('a function is no value')
  },
})
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
    // The stack is the writer's limit, and a searcher that goes as deep has the same.
    const isDeep = error instanceof RangeError && /call stack/.test(error.message)
    const text = isDeep ? 'it is nested too deeply' : (unsendableIn(value) ?? textOf(error))
    throw new TqError('BAD_REQUEST', `the value cannot be sent: ${text}`, {}, error)
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

/** Where the first function or symbol is, such as `value.retry.after`; undefined if there is none. */
function unsendableIn(value: unknown): string | undefined {
  const seen = new Set<unknown>()
  const search = (part: unknown, path: string): string | undefined => {
    if (typeof part === 'function' || typeof part === 'symbol') {
      return `${path} is a ${typeof part}; send plain values only`
    }
    if (typeof part !== 'object' || part === null || seen.has(part)) return undefined
    seen.add(part)
    for (const [name, item] of namedPartsOf(part)) {
      const found = search(item, Array.isArray(part) ? `${path}[${name}]` : `${path}.${name}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return search(value, 'value')
}

function namedPartsOf(part: object): Iterable<readonly [string, unknown]> {
  if (ArrayBuffer.isView(part)) return []
  if (!(part instanceof Map)) return Object.entries(part)
  return [...part].flatMap(([key, item]) => [
    [String(key), item],
    [`key ${String(key)}`, key],
  ])
}
