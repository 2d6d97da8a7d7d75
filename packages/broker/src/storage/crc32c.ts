// CRC-32C (Castagnoli), with which LevelDB guards its blocks and the records of its logs.

/** The reversed polynomial of RFC 3720. */
const POLYNOMIAL = 0x82f63b78
const MASK_DELTA = 0xa282ead8
const TABLE = sliceTable()

/** The checksum of `bytes[from, to)`, 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let state = -1
  let index = from
  // Slice-by-8: eight bytes a step, each through a table of its own.
  for (const end = to - 7; index < end; index += 8) {
    state ^=
      (bytes[index] as number) |
      ((bytes[index + 1] as number) << 8) |
      ((bytes[index + 2] as number) << 16) |
      ((bytes[index + 3] as number) << 24)
    state =
      (TABLE[1792 + (state & 255)] as number) ^
      (TABLE[1536 + ((state >>> 8) & 255)] as number) ^
      (TABLE[1280 + ((state >>> 16) & 255)] as number) ^
      (TABLE[1024 + (state >>> 24)] as number) ^
      (TABLE[768 + (bytes[index + 4] as number)] as number) ^
      (TABLE[512 + (bytes[index + 5] as number)] as number) ^
      (TABLE[256 + (bytes[index + 6] as number)] as number) ^
      (TABLE[bytes[index + 7] as number] as number)
  }
  for (; index < to; index += 1) {
    state = (state >>> 8) ^ (TABLE[(state ^ (bytes[index] as number)) & 255] as number)
  }
  return ~state >>> 0
}

/** As LevelDB stores it: the checksum of bytes that hold checksums would be a poor one. */
export function maskedCrc32c(bytes: Uint8Array, from: number, to: number): number {
  const crc = crc32c(bytes, from, to)
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/** Eight tables of 256 in a row; table n advances a byte over n further bytes of zeros. */
function sliceTable(): Int32Array {
  const table = new Int32Array(8 * 256)
  for (let value = 0; value < 256; value += 1) {
    let crc = value
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    table[value] = crc
  }
  for (let index = 256; index < table.length; index += 1) {
    const shorter = table[index - 256] as number
    table[index] = (shorter >>> 8) ^ (table[shorter & 255] as number)
  }
  return table
}
