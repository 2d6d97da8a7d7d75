// What one run is to do: everything that the line that repeats it says.

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

/** Reads what that line says. @throws Error naming what is wrong with it. */
export function planOf(environment: Readonly<Record<string, string | undefined>>): Plan {
  const producersMax = numberOf(environment, 'PRODUCERS', undefined)
  const workersMax = numberOf(environment, 'WORKERS', undefined)
  const names = (environment['WITHOUT'] ?? '').split(',').filter((name) => name !== '')
  return {
    seed: numberOf(environment, 'SEED', 1) ?? 1,
    steps: numberOf(environment, 'STEPS', 5_000) ?? 5_000,
    without: names.map(omissionOf),
    ...(producersMax === undefined ? {} : { producersMax }),
    ...(workersMax === undefined ? {} : { workersMax }),
  }
}

export function numberOf(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  standard: number | undefined,
): number | undefined {
  const text = environment[name]
  if (text === undefined || text === '') return standard
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`${name} is ${text}; it must be a whole number, 0 or more`)
}

function omissionOf(name: string): Omission {
  if (Object.hasOwn(OMISSIONS, name)) return name as Omission
  throw new Error(`WITHOUT names ${name}; known are ${Object.keys(OMISSIONS).join(', ')}`)
}
