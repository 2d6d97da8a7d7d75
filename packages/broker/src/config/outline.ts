// The options of a configuration in order, each with its path and its names in the three places.

import type { z } from 'zod'
import { groupFacts, optionFacts, type GroupFacts, type OptionFacts } from './option.ts'

export type OptionPath = readonly string[]

export type OutlineEntry =
  | { readonly kind: 'option'; readonly path: OptionPath; readonly facts: OptionFacts }
  | { readonly kind: 'group'; readonly path: OptionPath; readonly facts: GroupFacts }

export type OutlineOption = Extract<OutlineEntry, { kind: 'option' }>

/** Groups come before their members; the whole configuration is a group without a path. */
export function* outlineOf(schema: z.ZodType, path: OptionPath = []): Generator<OutlineEntry> {
  const option = optionFacts(schema)
  if (option !== undefined) {
    yield { kind: 'option', path, facts: option }
    return
  }
  const group = groupFacts(schema)
  if (group === undefined) return
  yield { kind: 'group', path, facts: group }
  for (const [name, member] of Object.entries(group.members)) {
    yield* outlineOf(member, [...path, name])
  }
}

export function optionsOf(schema: z.ZodType): OutlineOption[] {
  return [...outlineOf(schema)].filter((entry) => entry.kind === 'option')
}

/** The name in errors and documents, such as `http.port`. */
export function dottedName(path: OptionPath): string {
  return path.join('.')
}

/** The environment variable, such as `TQ_HTTP_PORT`. */
export function variableName(path: OptionPath): string {
  return `TQ_${path.map((part) => wordsOf(part).join('_')).join('_')}`.toUpperCase()
}

/** The flag without its dashes, such as `http-port`. */
export function flagName(path: OptionPath): string {
  return path.map((part) => wordsOf(part).join('-')).join('-')
}

function wordsOf(name: string): string[] {
  return name.split(/(?=[A-Z])/).map((word) => word.toLowerCase())
}
