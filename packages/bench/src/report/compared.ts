// Two sets of results side by side: what was measured on both, and what may be said of it.

import { compare, verdict } from '../figure/comparison.ts'
import { figuresOf, groupsOf, type Result, type ResultFile, valuesOf } from './result-file.ts'

export interface ComparedFigure {
  readonly figure: string
  readonly a: readonly number[]
  readonly b: readonly number[]
  readonly verdict: string
}

export interface ComparedGroup {
  readonly scenario: string
  readonly variant: string
  readonly figures: readonly ComparedFigure[]
}

/** About the machine, or about one extreme value: nothing to be judged by. */
const NOT_JUDGED = /^foreign|^late|MaxMs$/

/** Facts that differ between any two runs, and say nothing. */
const ALWAYS_OTHER = new Set(['at', 'load'])

/** What both sets have measured. */
export function compared(a: readonly Result[], b: readonly Result[]): readonly ComparedGroup[] {
  const groupsOfB = groupsOf(b)
  return groupsOf(a).flatMap((ofA) => {
    const ofB = groupsOfB.find(
      ({ scenario, variant }) => scenario === ofA.scenario && variant === ofA.variant,
    )
    if (ofB === undefined) return []
    const { scenario, variant } = ofA
    const names = figuresOf(ofA.results).filter((name) => !NOT_JUDGED.test(name))
    const figures = names.flatMap((figure) => {
      const [valuesA, valuesB] = [valuesOf(ofA.results, figure), valuesOf(ofB.results, figure)]
      if (valuesA.length === 0 || valuesB.length === 0) return []
      const said = verdict(figure, compare(valuesA, valuesB))
      return [{ figure, a: valuesA, b: valuesB, verdict: said }]
    })
    return [{ scenario, variant, figures }]
  })
}

/** The results of one broker of a file that measured two in turn. */
export function ofBroker({ results }: ResultFile, broker: string): readonly Result[] {
  return results.filter((result) => result.broker === broker)
}

/** Names of the facts that differ, with both values. */
export function differences(a: object, b: object): readonly (readonly string[])[] {
  const [factsA, factsB] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  const names = [...new Set([...factsA.keys(), ...factsB.keys()])]
  return names
    .filter((name) => !ALWAYS_OTHER.has(name) && factsA.get(name) !== factsB.get(name))
    .map((name) => [name, String(factsA.get(name) ?? '-'), String(factsB.get(name) ?? '-')])
}
