// The head of a store: which store it is, how often it was opened, and its last commit.

import { checksum } from './crc.ts'

/** The format of everything in the data directory. A broker refuses one that is newer. */
export const FORMAT_VERSION = 1
/**
 * Where the LevelDB adapter keeps the head, in the same batch as each commit: family 0x00 (meta),
 * name "head". The key is the adapter's own: no batch may hold it, and `load` never shows it.
 */
export const HEAD_KEY: Uint8Array = Uint8Array.of(0x00, 0x68, 0x65, 0x61, 0x64)
export const STORE_ID_BYTES = 16
/** Format, store id, epoch, LSN, checksum. */
export const HEAD_BYTES = 4 + STORE_ID_BYTES + 8 + 8 + 4

export interface Head {
  readonly storeId: Uint8Array
  readonly epoch: number
  readonly lsn: number
}

export type HeadReading =
  | { readonly kind: 'head'; readonly head: Head }
  | { readonly kind: 'newer'; readonly formatVersion: number }
  | { readonly kind: 'corrupt' }

/** The bytes of a head as kept under `key`; the checksum covers both. */
export function encodeHead(key: Uint8Array, head: Head): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, FORMAT_VERSION)
  bytes.set(head.storeId, 4)
  view.setBigUint64(20, BigInt(head.epoch))
  view.setBigUint64(28, BigInt(head.lsn))
  view.setUint32(36, checksum(key, bytes, 0, HEAD_BYTES - 4))
  return bytes
}

/**
 * Of every format, past and to come, this holds: it begins with its version and ends with its
 * checksum. So a damaged head is never mistaken for a newer one.
 */
export function decodeHead(key: Uint8Array, bytes: Uint8Array): HeadReading {
  if (bytes.length < 8) return { kind: 'corrupt' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = bytes.length - 4
  if (view.getUint32(end) !== checksum(key, bytes, 0, end)) return { kind: 'corrupt' }
  const formatVersion = view.getUint32(0)
  if (formatVersion > FORMAT_VERSION) return { kind: 'newer', formatVersion }
  if (formatVersion !== FORMAT_VERSION || bytes.length !== HEAD_BYTES) return { kind: 'corrupt' }
  const head: Head = {
    // Not `slice`, which copies nothing if the bytes are a Buffer.
    storeId: Uint8Array.from(bytes.subarray(4, 20)),
    epoch: Number(view.getBigUint64(20)),
    lsn: Number(view.getBigUint64(28)),
  }
  return { kind: 'head', head }
}
