// The batch that a test commits as a given LSN, and the check that a store holds what it should.

import type { Batch, Store } from '../src/storage/port.ts'

/** Entries that belong to one commit: they are there together or not at all. */
const PARTS = [0, 1, 2] as const

/** Three entries of this commit, instead of the one that says which commit was the last. */
export function committedBatch(lsn: number, valueBytes: number): Batch {
  const putKeys = PARTS.map((part) => keyOf(1, lsn * PARTS.length + part))
  const putValues = PARTS.map((part) => valueOf(lsn, part, valueBytes))
  return {
    putKeys: [...putKeys, keyOf(2, lsn)],
    putValues: [...putValues, new Uint8Array(1)],
    deleteKeys: lsn > 1 ? [keyOf(2, lsn - 1)] : [],
  }
}

/** What is wrong with a store that should hold exactly the commits up to this LSN. */
export async function faultsUpTo(store: Store, lsn: number): Promise<string[]> {
  const faults: string[] = []
  let expected = PARTS.length
  for await (const page of store.load({ from: keyOf(1, 0), to: keyOf(2, 0) }, 1_000)) {
    for (const [key, value] of page) {
      const found = numberOf(key)
      if (found !== expected) faults.push(`expected entry ${expected}, found ${found}`)
      const intact = valueOf(Math.floor(found / PARTS.length), found % PARTS.length, value.length)
      if (Buffer.compare(value, intact) !== 0) faults.push(`entry ${found} has a wrong value`)
      expected = found + 1
    }
  }
  const last = (lsn + 1) * PARTS.length
  if (expected !== last) faults.push(`ends before entry ${expected}, not ${last}`)
  for await (const page of store.load({ from: keyOf(2, 0), to: keyOf(3, 0) }, 1_000)) {
    const marks = page.map(([key]) => numberOf(key))
    if (marks.join() !== String(lsn)) faults.push(`marks of the last commit: ${marks.join()}`)
  }
  return faults
}

function keyOf(family: number, number: number): Uint8Array {
  const key = new Uint8Array(5)
  key[0] = family
  new DataView(key.buffer).setUint32(1, number)
  return key
}

function numberOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(1)
}

function valueOf(lsn: number, part: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => lsn * 31 + part * 7 + index)
}
