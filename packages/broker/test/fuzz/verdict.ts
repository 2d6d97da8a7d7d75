// What a run of the fuzzer ends with: one line that says what was looked for, and how often it was found.

import { HANG_CPU_MS } from './input-watch.ts'

export interface FuzzFindings {
  readonly inputs: number
  readonly seconds: number
  readonly longestCpuMs: number
  readonly longestWallMs: number
  /** What broke, each in its own words. */
  readonly failures: readonly string[]
}

type Kind = 'crash' | 'hang' | 'state change' | 'other'

/** The words with which the laws are broken; what is not among them is "other". */
const WORDS: readonly (readonly [kind: Kind, pattern: RegExp])[] = [
  ['crash', /it crashed|it throws|unhandled rejection/],
  ['hang', /takes [\d.]+ ms|a step took|not answered|does not answer|is answered by nothing/],
  ['state change', /has changed the state|has changed its bytes/],
]

export function verdictLine(findings: FuzzFindings): string {
  const { inputs, seconds, longestCpuMs, longestWallMs, failures } = findings
  const kinds = failures.map(kindOf)
  const count = (kind: Kind): number => kinds.filter((each) => each === kind).length
  const longest = `longest once ${longestCpuMs.toFixed(0)} ms of CPU, ${longestWallMs.toFixed(0)} ms by the clock`
  return [
    `fuzz: ${inputs} inputs in ${seconds.toFixed(0)} s`,
    counted(count('crash'), 'crash', 'crashes'),
    `${counted(count('hang'), 'hang', 'hangs')} over ${HANG_CPU_MS} ms of CPU each time (${longest})`,
    counted(count('state change'), 'state change', 'state changes'),
    counted(count('other'), 'other violation', 'other violations'),
  ].join(', ')
}

function kindOf(failure: string): Kind {
  return WORDS.find(([, pattern]) => pattern.test(failure))?.[0] ?? 'other'
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
