// The payload of the bench: opaque bytes that do not compress to nothing.

import { OpaqueBytes } from '@tq/client'

export function opaque(bytes: number): OpaqueBytes {
  const payload = new Uint8Array(bytes)
  let state = 0x9e3779b9
  for (let at = 0; at < bytes; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    payload[at] = state >>> 24
  }
  return new OpaqueBytes(payload)
}
