// The seeds that have failed once: each is run for ever, with what it took to make it fail.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plan } from './plan.ts'

export interface KeptSeed extends Plan {
  /** The law that was broken, and what was mended, if that is known. */
  readonly why: string
}

const PATH = fileURLToPath(new URL('seeds.json', import.meta.url))

export function keptSeeds(): readonly KeptSeed[] {
  return JSON.parse(readFileSync(PATH, 'utf8')) as KeptSeed[]
}

/** Keeps one more, unless one like it is kept already. */
export function keepSeed(seed: KeptSeed): void {
  const kept = keptSeeds()
  if (kept.some((one) => one.seed === seed.seed && one.steps === seed.steps)) return
  const lines = [...kept, seed].map((one) => `  ${JSON.stringify(one)}`)
  writeFileSync(PATH, `[\n${lines.join(',\n')}\n]\n`)
}
