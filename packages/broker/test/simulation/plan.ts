// What one run is to do: everything that the line that repeats it says.

import type { RunParameters } from '../run-parameters.ts'
import { OMISSIONS, type Omission } from './omissions.ts'

export interface Plan {
  readonly seed: number
  /** Events before the faults stop. */
  readonly steps: number
  /** What the world of this seed would have, and does not. */
  readonly without: readonly Omission[]
  /** Most of them; the seed draws how many there are. */
  readonly producersMax?: number
  readonly workersMax?: number
}

/** The line that repeats a run. */
export function replayLine({ seed, steps, without, producersMax, workersMax }: Plan): string {
  return [
    `make sim SEED=${seed} STEPS=${steps}`,
    ...(without.length > 0 ? [`WITHOUT=${without.join(',')}`] : []),
    ...(producersMax === undefined ? [] : [`PRODUCERS=${producersMax}`]),
    ...(workersMax === undefined ? [] : [`WORKERS=${workersMax}`]),
  ].join(' ')
}

/** Reads what that line says. */
export function planOf(given: RunParameters): Plan {
  return {
    seed: given.number('SEED', 1),
    steps: given.count('STEPS', 5_000),
    without: given.list('WITHOUT', Object.keys(OMISSIONS) as Omission[]),
    ...(given.has('PRODUCERS') ? { producersMax: given.number('PRODUCERS', 0) } : {}),
    ...(given.has('WORKERS') ? { workersMax: given.number('WORKERS', 0) } : {}),
  }
}
