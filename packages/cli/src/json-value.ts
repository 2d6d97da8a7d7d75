// Values of MessagePack as plain JSON: what JSON has no form for is written as `{"$kind": "text"}`.

/** A value that JSON.stringify writes as it is. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * Bytes become `{"$base64": …}`, integers beyond 2^53 `{"$integer": …}`, moments `{"$time": …}`,
 * numbers that JSON lacks `{"$number": "NaN"}`. Nothing is lost on the way.
 */
export function jsonValue(value: unknown): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) }
    case 'bigint':
      return { $integer: String(value) }
    case 'object':
      return value === null ? null : objectValue(value)
    default:
      return null // undefined; there are no functions and symbols in MessagePack
  }
}

/** Bytes in the text form that JSON gives them. */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function objectValue(value: object): JsonValue {
  if (value instanceof Uint8Array) return { $base64: base64Of(value) }
  if (value instanceof Date) return { $time: timeText(value) }
  if (Array.isArray(value)) return value.map(jsonValue)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  const pairs = entries.map(([key, child]) => [String(key), jsonValue(child)] as const)
  return Object.fromEntries(pairs)
}

function timeText(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'invalid' : date.toISOString()
}
