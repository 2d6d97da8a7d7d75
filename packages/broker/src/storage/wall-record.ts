// How the wall clock stood against the tick clock, as it is kept: where it stepped, and to what.

import { FAMILIES } from './key.ts'
import { CorruptRecordError, sealJson, unsealJson } from './sealed.ts'

/** From this tick on the wall clock was this much ahead of the tick clock, until the next step. */
export interface WallStep {
  readonly tickMs: number
  readonly aheadMs: number
}

/** Key of the steps in the meta family. */
export const WALL_KEY: Uint8Array = Uint8Array.of(FAMILIES.meta, ...Buffer.from('wall'))

export const WALL_RECORD_VERSION = 1

export function encodeWall(steps: readonly WallStep[]): Uint8Array {
  const pairs = steps.map(({ tickMs, aheadMs }) => [tickMs, aheadMs])
  return sealJson(WALL_KEY, { steps: pairs }, WALL_RECORD_VERSION)
}

/** @throws {CorruptRecordError} */
export function decodeWall(value: Uint8Array): WallStep[] {
  const { steps } = unsealJson(WALL_KEY, value, WALL_RECORD_VERSION) as { steps: unknown }
  if (!Array.isArray(steps)) throw new CorruptRecordError('the steps of the wall clock are no list')
  return steps.map((pair: unknown) => {
    const [tickMs, aheadMs] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (Number.isFinite(tickMs) && Number.isFinite(aheadMs)) {
      return { tickMs: tickMs as number, aheadMs: aheadMs as number }
    }
    throw new CorruptRecordError('a step of the wall clock is no pair of numbers')
  })
}
