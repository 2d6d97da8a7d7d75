// The id of a request whose body is otherwise unreadable, so that its refusal finds its sender.

/** The id in `[0, id, …]`, or 0 if the first bytes are no such beginning. Never throws. */
export function readableId(body: Uint8Array): number {
  const kindAt = arrayHeadBytes(body)
  if (kindAt === 0 || body[kindAt] !== 0) return 0
  const at = kindAt + 1
  const token = body[at] ?? 0xc0
  if (token < 0x80) return token
  if (token === 0xcc) return uintAt(body, at + 1, 1)
  if (token === 0xcd) return uintAt(body, at + 1, 2)
  if (token === 0xce) return uintAt(body, at + 1, 4)
  if (token === 0xcf && uintAt(body, at + 1, 4) === 0) return uintAt(body, at + 5, 4)
  return 0
}

/** Bytes of the head of an array, 0 if the body does not begin with one. */
function arrayHeadBytes(body: Uint8Array): number {
  const token = body[0] ?? 0
  if (token >= 0x90 && token <= 0x9f) return 1
  if (token === 0xdc) return 3
  return token === 0xdd ? 5 : 0
}

function uintAt(body: Uint8Array, at: number, byteCount: number): number {
  if (at + byteCount > body.length) return 0
  let value = 0
  for (let index = at; index < at + byteCount; index += 1) value = value * 256 + (body[index] ?? 0)
  return value
}
