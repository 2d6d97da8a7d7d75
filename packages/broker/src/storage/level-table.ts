// Is a table file of LevelDB as it was written? Every block of it has a checksum; LevelDB looks at none.

import { maskedCrc32c } from './crc32c.ts'
import { LevelBytes, LevelFormatError, uint32At } from './level-bytes.ts'
import { decompressSnappy } from './snappy.ts'

/** Two block handles, padding, and the number by which a table is known. */
const FOOTER_BYTES = 48
const MAGIC_LOW = 0x8b80fb57
const MAGIC_HIGH = 0xdb477524
/** After each block: how it is compressed (1), and its checksum (4). */
const TRAILER_BYTES = 5
const PLAIN = 0
const SNAPPY = 1

interface Block {
  readonly offset: number
  readonly size: number
}

/**
 * Checks every byte that has a meaning. A table without its filter or its index hides keys that it
 * holds, and a block that ends too early hides some: LevelDB would say that they never were.
 * @throws {LevelFormatError} saying what is wrong, and where.
 */
export function checkTable(table: Uint8Array): void {
  const footerAt = table.length - FOOTER_BYTES
  if (footerAt < 0) throw new LevelFormatError('it is shorter than its footer')
  if (
    uint32At(table, table.length - 8) !== MAGIC_LOW ||
    uint32At(table, table.length - 4) !== MAGIC_HIGH
  ) {
    throw new LevelFormatError('it does not end like a table')
  }
  const footer = new LevelBytes(table, footerAt)
  const metaindex = blockOf(footer)
  const index = blockOf(footer)
  const blocks = [...handlesIn(table, metaindex), ...handlesIn(table, index), metaindex, index]
  blocks.sort((one, other) => one.offset - other.offset)
  let at = 0
  for (const block of blocks) {
    // They stand side by side: what no handle names would not be checked.
    if (block.offset !== at) throw new LevelFormatError(`a hole at byte ${at}`)
    checkBlock(table, block)
    at = block.offset + block.size + TRAILER_BYTES
  }
  if (at !== footerAt) throw new LevelFormatError(`a hole at byte ${at}`)
}

function checkBlock(table: Uint8Array, { offset, size }: Block): void {
  const end = offset + size
  // The checksum is of the block and of the byte that says how it is compressed.
  if (uint32At(table, end + 1) !== maskedCrc32c(table, offset, end + 1)) {
    throw new LevelFormatError(`the checksum of the block at byte ${offset} does not fit`)
  }
}

function handlesIn(table: Uint8Array, block: Block): Block[] {
  checkBlock(table, block)
  const content = contentOf(table, block)
  const restartCount = uint32At(content, content.length - 4)
  const end = content.length - 4 - 4 * restartCount
  const reader = new LevelBytes(content.subarray(0, end))
  const handles: Block[] = []
  while (!reader.isAtEnd) {
    // The length of what its key shares with the one before, then those of its own and its value.
    reader.varint()
    const keyBytes = reader.varint()
    reader.varint()
    const value = new LevelBytes(content, reader.at + keyBytes)
    handles.push(blockOf(value))
    reader.skip(value.at - reader.at)
  }
  return handles
}

function contentOf(table: Uint8Array, { offset, size }: Block): Uint8Array {
  const bytes = table.subarray(offset, offset + size)
  const compression = table[offset + size]
  if (compression === PLAIN) return bytes
  if (compression === SNAPPY) return decompressSnappy(bytes)
  throw new LevelFormatError(`the block at byte ${offset} has compression ${compression}`)
}

function blockOf(reader: LevelBytes): Block {
  return { offset: reader.varint(), size: reader.varint() }
}
