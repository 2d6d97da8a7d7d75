// The layers of a configuration laid over each other: flags over environment over file.

import type { ConfigFile } from './file.ts'
import { dottedName, outlineOf } from './outline.ts'
import type { Setting } from './setting.ts'
import { brokerConfig } from './config.ts'

export type Values = Readonly<Record<string, unknown>>

export interface MergedConfig {
  readonly values: Values
  /** Where a value came from; empty if nobody has set it. */
  readonly placeOfValue: (path: readonly PropertyKey[]) => string
  readonly placeOfKey: (path: readonly PropertyKey[]) => string
}

/** @param settings Later ones win. */
export function mergeConfig(
  file: Omit<ConfigFile, 'isWorldReadable'> | undefined,
  settings: readonly Setting[],
): MergedConfig {
  let values = withoutEmptyGroups(file?.values ?? {})
  const places = new Map<string, string>()
  for (const { option, place, value } of settings) {
    values = withValue(values, option.path, value)
    places.set(dottedName(option.path), place)
  }
  const placeOutside = (path: readonly PropertyKey[]): string | undefined => {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const place = places.get(dottedName(path.slice(0, depth).map(String)))
      if (place !== undefined) return place
    }
    return undefined
  }
  return {
    values,
    placeOfValue: (path) => placeOutside(path) ?? file?.placeOfValue(path) ?? '',
    placeOfKey: (path) => placeOutside(path) ?? file?.placeOfKey(path) ?? '',
  }
}

/** The value at a path; undefined if there is none. */
export function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<PropertyKey, unknown>)[name]
  }
  return value
}

/** The same values but for one; what is not a map on the way to it stays, to be refused. */
export function withValue(values: Values, path: readonly string[], value: unknown): Values {
  const [name, ...rest] = path
  if (name === undefined) return values
  if (rest.length === 0) return { ...values, [name]: value }
  const inner = values[name] ?? {}
  if (typeof inner !== 'object' || Array.isArray(inner)) return values
  return { ...values, [name]: withValue(inner as Values, rest, value) }
}

/** "http:" with nothing below it sets nothing: people comment out what they do not need. */
function withoutEmptyGroups(values: Values): Values {
  let kept = values
  for (const entry of outlineOf(brokerConfig)) {
    if (entry.kind !== 'group' || entry.path.length === 0) continue
    if (valueAt(kept, entry.path) === null) kept = withValue(kept, entry.path, {})
  }
  return kept
}
