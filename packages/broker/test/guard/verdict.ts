// Whether a measurement lies clearly above the baseline. What is not clear is measured again.

import type { Ratios } from './measurement.ts'

/** Above so much of the baseline it is a regression; noise stays below, after some attempts. */
const RATIO_MAX = 1.25
/** Measurements before a regression is believed: noise seldom strikes so often in a row. */
const ATTEMPTS = 4

const MEANINGS: Readonly<Record<keyof Ratios, string>> = {
  cpu: 'CPU time',
  heap: 'allocated memory',
}

/** A sentence for each figure that is clearly above the baseline. */
export function regressions(measured: Ratios, baseline: Ratios): readonly string[] {
  return (['cpu', 'heap'] as const)
    .filter((name) => !(measured[name] <= baseline[name] * RATIO_MAX))
    .map((name) => {
      const [of, to] = [measured[name].toFixed(2), baseline[name].toFixed(2)]
      const times = (measured[name] / baseline[name]).toFixed(2)
      const most = `at most ${RATIO_MAX} times is allowed`
      return `the ${MEANINGS[name]} of a task is ${of} units of the reference, ${times} times the baseline of ${to}; ${most}`
    })
}

/** Measures until a measurement is as it should be; what the last one says, if none is. */
export async function guard(
  measure: () => Promise<Ratios>,
  baseline: Ratios,
): Promise<readonly string[]> {
  let found: readonly string[] = []
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    found = regressions(await measure(), baseline)
    if (found.length === 0) return found
  }
  return found
}
