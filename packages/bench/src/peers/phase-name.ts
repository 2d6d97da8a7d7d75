// The phases of a comparison.

export const PHASE_NAMES = ['enqueue-batch', 'enqueue-single', 'drain', 'mixed', 'latency'] as const

export type PhaseName = (typeof PHASE_NAMES)[number]

export function isPhaseName(text: string): text is PhaseName {
  return (PHASE_NAMES as readonly string[]).includes(text)
}
