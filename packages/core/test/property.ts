// How properties run: the same seed each time, unless TQ_SEED names another; a failure prints it.

import * as fc from 'fast-check'

const FIXED_SEED = 20_261_120

const SEED: number = Number(process.env['TQ_SEED'] ?? FIXED_SEED)

/** Runs the property so many times. To repeat a failure, set TQ_SEED to the seed that it printed. */
export function assertProperty<Values>(property: fc.IProperty<Values>, runCount: number): void {
  fc.assert(property, { seed: SEED, numRuns: runCount })
}
