// What may stand in a log: no secrets, no payloads, nothing endless.

const SECRET_NAME = /token|secret|password|authorization|cookie/i
const PAYLOAD_NAME = /^(payload|result|body)$/i
const HIDDEN = '[redacted]'
const CHARACTERS_MAX = 4_096
const ITEMS_MAX = 100
/** Deepest nesting that is shown. */
const DEPTH_MAX = 6
/** Ids are shown in full; longer bytes only by their number. */
const BYTES_SHOWN_MAX = 32

/** The same field, fit to be logged. */
export function redact(name: string, value: unknown, depth = 0): unknown {
  if (PAYLOAD_NAME.test(name)) return HIDDEN
  // Fencing tokens are numbers, and no secret.
  if (typeof value === 'string') return SECRET_NAME.test(name) ? HIDDEN : cut(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return showBytes(value)
  if (depth >= DEPTH_MAX) return '[deeper]'
  if (value instanceof Error) return showError(value, depth)
  if (Array.isArray(value)) {
    return value.slice(0, ITEMS_MAX).map((item) => redact(name, item, depth + 1))
  }
  return redactFields(value, depth + 1)
}

export function redactFields(fields: object, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, ITEMS_MAX)
  return Object.fromEntries(entries.map(([name, value]) => [name, redact(name, value, depth)]))
}

function cut(text: string): string {
  return text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}…` : text
}

function showBytes(bytes: Uint8Array): string {
  if (bytes.length > BYTES_SHOWN_MAX) return `[${bytes.length} bytes]`
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function showError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error
  const code = 'code' in error ? { code: redact('code', error.code, depth + 1) } : {}
  const shown = { type: name, message: cut(message), ...code, stack: cut(stack ?? '') }
  return cause === undefined ? shown : { ...shown, cause: redact('cause', cause, depth + 1) }
}
