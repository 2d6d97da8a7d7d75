// Overload is refused, not buffered: new work first, so that work in progress can finish.

import { type Refusal, refuse } from '../engine/decision.ts'
import type { Partition } from './partition.ts'

export interface AdmissionLimits {
  /** A commit that takes longer than this means that the disk cannot keep up, in ms. */
  readonly commitMsMax: number
  /** Free bytes on the disk, as last measured; Infinity where nobody measures. */
  readonly freeBytes: () => number
  /** Below this many free bytes no new work is taken. */
  readonly freeBytesMin: number
}

/** Why an enqueue cannot be taken now; undefined if it can. */
export function admit(partition: Partition, limits: AdmissionLimits): Refusal | undefined {
  const freeBytes = limits.freeBytes()
  if (freeBytes < limits.freeBytesMin) {
    return refuse(
      'NO_SPACE',
      `${Math.floor(freeBytes / 2 ** 20)} MiB are free on the disk; new tasks need at least ${Math.floor(limits.freeBytesMin / 2 ** 20)} MiB`,
      { retryAfterMs: 5_000 },
    )
  }
  const { flyingMs } = partition.commits
  if (flyingMs <= limits.commitMsMax) return undefined
  return refuse(
    'RESOURCE_EXHAUSTED',
    `a commit has taken ${Math.round(flyingMs)} ms so far; the disk cannot keep up`,
    { retryAfterMs: Math.round(flyingMs) },
  )
}
