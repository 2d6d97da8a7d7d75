// Decompresses Snappy, in which LevelDB writes the blocks of its tables.

import { LevelBytes, LevelFormatError } from './level-bytes.ts'

const LITERAL = 0

/** @throws {LevelFormatError} if these are no compressed bytes. */
export function decompressSnappy(input: Uint8Array): Uint8Array {
  const head = new LevelBytes(input)
  const length = head.varint()
  // No input grows by more than this: a length that lies must not allocate.
  if (length > input.length * 256) throw new LevelFormatError(`a block of ${length} bytes`)
  const output = new Uint8Array(length)
  let from = head.at
  let to = 0
  while (from < input.length) {
    const tag = byteAt(input, from)
    from += 1
    if ((tag & 3) === LITERAL) {
      const extraBytes = Math.max(0, (tag >>> 2) - 59)
      const count = 1 + (extraBytes === 0 ? tag >>> 2 : littleEndian(input, from, extraBytes))
      from += extraBytes
      if (from + count > input.length || to + count > length) throw outOfBounds()
      output.set(input.subarray(from, from + count), to)
      from += count
      to += count
    } else {
      const offsetBytes = (tag & 3) === 3 ? 4 : tag & 3
      const isShort = (tag & 3) === 1
      const count = isShort ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
      const low = littleEndian(input, from, offsetBytes)
      const offset = isShort ? ((tag >>> 5) << 8) | low : low
      from += offsetBytes
      if (offset === 0 || offset > to || to + count > length) throw outOfBounds()
      // Source and target may overlap: what was just written is read again.
      for (let index = 0; index < count; index += 1, to += 1) {
        output[to] = output[to - offset] as number
      }
    }
  }
  if (to !== length) throw outOfBounds()
  return output
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let index = count - 1; index >= 0; index -= 1)
    value = value * 256 + byteAt(bytes, at + index)
  return value
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw outOfBounds()
  return byte
}

function outOfBounds(): LevelFormatError {
  return new LevelFormatError('compressed bytes lead out of their block')
}
