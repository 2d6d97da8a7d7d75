// Bodies of the largest size, made to cost as much time and memory as they can.

import { limits } from '@tq/core'

const { FRAME_BYTES_MAX, MSGPACK_NODES_MAX } = limits

/** A request with these bytes where its arguments stand. */
function around(args: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(0x94, 0, 1, 0xa4), Buffer.from('ping'), args])
}

function filled(unit: readonly number[], bytes = FRAME_BYTES_MAX - 16): Uint8Array {
  const body = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += 1) body[at] = unit[at % unit.length] as number
  return body
}

/** An array of arrays of so many of this item: more than the decoder may look at. */
function arraysOf(item: Uint8Array): Uint8Array {
  const length = Math.min(limits.MSGPACK_ARRAY_MAX, Math.floor(MSGPACK_NODES_MAX / 8))
  const inner = Buffer.concat([
    Uint8Array.of(0xdc, length >> 8, length & 255),
    ...Array.from({ length }, () => item),
  ])
  const count = Math.min(8, Math.floor((FRAME_BYTES_MAX - 64) / inner.length))
  return Buffer.concat([Uint8Array.of(0x90 | count), ...Array.from({ length: count }, () => inner)])
}

/** Maps with as many keys as allowed, all of the longest kind, differing in their last bytes. */
function maps(): Uint8Array {
  const keys = Array.from({ length: limits.MSGPACK_MAP_MAX }, (_, index) => {
    const key = Buffer.alloc(2 + limits.MSGPACK_KEY_BYTES_MAX + 1, 0x61)
    key[0] = 0xd9
    key[1] = limits.MSGPACK_KEY_BYTES_MAX
    key.writeUInt16BE(0x4141 + (index % 50) + Math.floor(index / 50) * 256, key.length - 3)
    key[key.length - 1] = 0xc0
    return key
  })
  const map = Buffer.concat([Uint8Array.of(0xde, 1, 0), ...keys])
  const count = Math.floor((FRAME_BYTES_MAX - 64) / map.length)
  return Buffer.concat([
    Uint8Array.of(0xdc, count >> 8, count & 255),
    ...Array.from({ length: count }, () => map),
  ])
}

export const COSTLY_BODIES: readonly Uint8Array[] = [
  around(filled([0x91])),
  around(filled([0x90])),
  around(filled([0x81, 0xa1, 0x61])),
  around(filled([0xdd, 0xff, 0xff, 0xff, 0xff])),
  around(filled([0xd9, 0x01, 0xff])),
  around(arraysOf(Uint8Array.of(0xc0))),
  around(arraysOf(Uint8Array.of(0x80))),
  around(arraysOf(Uint8Array.of(0x81, 0xa1, 0x61, 0xc0))),
  around(arraysOf(Buffer.concat([Uint8Array.of(0xd9, 60), Buffer.from('é'.repeat(30))]))),
  around(arraysOf(Buffer.concat([Uint8Array.of(0xd7, 0xff), new Uint8Array(8)]))),
  around(maps()),
  around(Buffer.concat([Uint8Array.of(0xc6, 0, 0x3f, 0xff, 0x00), new Uint8Array(0x3fff00)])),
]
