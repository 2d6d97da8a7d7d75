// What a clock does during a story: the cases that everybody knows, and as many as chance makes up.

import { SeededRandom } from '../simulation/seeded-random.ts'
import type { ClockKind } from './fake-clock.ts'

/** A step of the clock, so long after the story has begun. */
export interface ClockStep {
  readonly atMs: number
  readonly byMs: number
}

export interface ClockCase {
  readonly name: string
  readonly kind: ClockKind
  /** What the wall clock shows when the story begins; the true time if left out. */
  readonly startWallMs?: number
  readonly steps: readonly ClockStep[]
}

const SECOND_MS = 1_000
const HOUR_MS = 3_600 * SECOND_MS
const DAY_MS = 24 * HOUR_MS
const YEAR_MS = 365 * DAY_MS
const STEP_AT_MS = 300
/** The broker looks at its clock twice a second: nothing shorter is sure to be seen. */
const APART_MS = 1_300
const STEPS_MAX = 2
/** Connections are closed after a day without a word; nobody sleeps that long here. */
const SUSPEND_MS_MAX = 12 * HOUR_MS

/** 23:59:60 as most machines show it: the last second of a day comes twice. */
const LEAP_AT_MS = Date.UTC(2026, 11, 31) + DAY_MS

/** Those that are tried at every change. */
export const CLOCK_CASES: readonly ClockCase[] = [
  wallCase('an hour back', -HOUR_MS),
  wallCase('a day forward', DAY_MS),
  wallCase('a day back', -DAY_MS),
  wallCase('ten years forward', 10 * YEAR_MS),
  {
    ...wallCase('a leap second', -SECOND_MS),
    startWallMs: LEAP_AT_MS - STEP_AT_MS,
  },
  {
    name: 'a suspend of two hours',
    kind: 'suspend',
    steps: [{ atMs: STEP_AT_MS, byMs: 2 * HOUR_MS }],
  },
]

export const MORE_CLOCK_CASES: readonly ClockCase[] = [
  wallCase('a second forward', SECOND_MS),
  wallCase('a second back', -SECOND_MS),
  wallCase('an hour forward', HOUR_MS),
]

export function randomCase(seed: number): ClockCase {
  const random = new SeededRandom(seed, 'clock')
  const kind = random.happens(0.2) ? 'suspend' : 'wall'
  const count = random.between(1, STEPS_MAX)
  const steps: ClockStep[] = []
  let atMs = random.between(100, 900)
  for (let step = 0; step < count; step += 1) {
    const isBack = kind === 'wall' && random.happens(0.5)
    const maxMs = kind === 'suspend' ? SUSPEND_MS_MAX : isBack ? YEAR_MS : 10 * YEAR_MS
    const byMs = Math.round(random.magnitude(SECOND_MS, maxMs))
    steps.push({ atMs, byMs: isBack ? -byMs : byMs })
    atMs += random.between(APART_MS, APART_MS + 400)
  }
  const told = steps.map(({ byMs }) => `${byMs > 0 ? '+' : ''}${byMs / 1_000} s`)
  return { name: `seed ${seed}: ${kind} ${told.join(', ')}`, kind, steps }
}

function wallCase(name: string, byMs: number): ClockCase {
  return { name, kind: 'wall', steps: [{ atMs: STEP_AT_MS, byMs }] }
}
