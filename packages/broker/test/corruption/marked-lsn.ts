// The newest commit that a data directory's high-water mark tells of.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeHead, HEAD_BYTES } from '../../src/storage/head-record.ts'

const KEY = new TextEncoder().encode('high-water')
const SLOTS_AT = [0, 4_096]

export function markedLsnOf(dataDir: string): number {
  const bytes = readFileSync(join(dataDir, 'high-water'))
  const lsns = SLOTS_AT.map((at) => {
    const reading = decodeHead(KEY, new Uint8Array(bytes.subarray(at, at + HEAD_BYTES)))
    return reading.kind === 'head' ? reading.head.lsn : 0
  })
  return Math.max(...lsns)
}
