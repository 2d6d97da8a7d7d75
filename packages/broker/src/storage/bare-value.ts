// Records whose key says all, and their value.

import type { Family } from './key.ts'

/** Families of them: there is nothing to seal. */
export const KEY_ONLY: ReadonlySet<Family> = new Set<Family>(['doneByEnd', 'dedupeByAge'])

/**
 * One byte that means nothing. Not none: the batches of classic-level 3.0.0 copy an empty value and
 * never free the copy (its `DisposeSliceBuffer`), 32 bytes for each task that is kept.
 */
export const BARE_VALUE: Uint8Array = Uint8Array.of(0)

/** Older stores have empty ones. */
export function isBare(value: Uint8Array): boolean {
  return value.length === 0 || (value.length === 1 && value[0] === BARE_VALUE[0])
}
