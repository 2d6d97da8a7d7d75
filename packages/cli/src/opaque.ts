// Payloads and results, whose bytes only their owners understand: decoded where that is possible.

import { decodePayload } from '@tq/client'
import { base64Of, type JsonValue, jsonValue } from './json-value.ts'
import { printableLines } from './printable.ts'
import type { View } from './table.ts'

/** Lines of a value on a screen; a pipe and `-o json` get them all. */
const SCREEN_LINES_MAX = 200
/** Characters of base64 on a screen. */
const SCREEN_BASE64_MAX = 2_000

/** `{name: value}` if the bytes are MessagePack, else `{nameBase64: "…"}`. */
export function jsonOfBytes(
  name: string,
  bytes: Uint8Array | undefined,
): Readonly<Record<string, JsonValue>> {
  if (bytes === undefined) return {}
  const decoded = decode(bytes)
  return decoded === undefined ? { [`${name}Base64`]: base64Of(bytes) } : { [name]: decoded.value }
}

/** For people: the value as JSON; of other bytes the text, or else base64. */
export function showBytes(bytes: Uint8Array, view: View): string {
  const decoded = decode(bytes)
  if (decoded !== undefined) return lines(JSON.stringify(decoded.value, null, 2), view)
  const text = utf8Of(bytes)
  if (text !== undefined) return lines(text, view)
  const base64 = base64Of(bytes)
  const isCut = view.isScreen && base64.length > SCREEN_BASE64_MAX
  return `base64: ${isCut ? `${base64.slice(0, SCREEN_BASE64_MAX)}…` : base64}`
}

function decode(bytes: Uint8Array): { readonly value: JsonValue } | undefined {
  try {
    return { value: jsonValue(decodePayload(bytes)) }
  } catch {
    return undefined // somebody's own bytes
  }
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function lines(text: string, view: View): string {
  const all = text.split('\n')
  if (!view.isScreen || all.length <= SCREEN_LINES_MAX) return printableLines(text)
  const shown = printableLines(all.slice(0, SCREEN_LINES_MAX).join('\n'))
  return `${shown}\n… ${all.length - SCREEN_LINES_MAX} more lines; -o json prints them all`
}
