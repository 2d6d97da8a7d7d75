// What values an option may have, in a few words.

import type { OptionFacts } from './option.ts'
import { writeQuantity } from './quantity.ts'

/** Such as `from 1s to 1h`; empty where the help says it. */
export function rangeOf(facts: OptionFacts): string {
  if (facts.choices !== undefined) return `one of ${facts.choices.join(', ')}`
  if (facts.range === undefined || facts.unit === undefined) return ''
  const [min, max] = facts.range
  return `from ${writeQuantity(min, facts.unit)} to ${writeQuantity(max, facts.unit)}`
}
