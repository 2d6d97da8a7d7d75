// What the schema has refused, as sentences: where, what was wrong, what would be right.

import type { z } from 'zod'
import { valueAt, type MergedConfig } from './merge.ts'
import { groupFacts, optionFacts, type OptionFacts } from './option.ts'
import { dottedName, optionsOf, outlineOf, type OptionPath } from './outline.ts'
import { similarName } from './suggestion.ts'
import { brokerConfig } from './config.ts'

type Issue = z.core.$ZodIssue

const SHOWN_CHARACTERS_MAX = 80

export interface ConfigProblem {
  readonly text: string
  /** The option or group that it is about. */
  readonly path: OptionPath
  /** A key that is not an option at all. */
  readonly unknownKey?: string
}

export function problemsOf(issue: Issue, merged: MergedConfig): ConfigProblem[] {
  const { path, facts } = ownerOf(issue.path)
  if (facts !== undefined) return [{ path, text: optionProblem(issue, facts, merged) }]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path,
      unknownKey: key,
      text: placed(merged.placeOfKey([...path, key]), unknownKey(path, key)),
    }))
  }
  const value = valueAt(merged.values, path)
  const problem = `${dottedName(path)} must be a map of options; got ${shown(value)}`
  return [{ path, text: placed(merged.placeOfValue(path), problem) }]
}

/** A sentence after its place, if it has one. */
export function placed(place: string, sentence: string): string {
  return place === '' ? sentence : `${place}: ${sentence}`
}

/** The option that a path leads into, or the group that it names. */
function ownerOf(path: readonly PropertyKey[]): {
  readonly path: OptionPath
  readonly facts: OptionFacts | undefined
} {
  let schema: z.ZodType = brokerConfig
  const passed: string[] = []
  for (const name of path.map(String)) {
    const member: z.ZodType | undefined = groupFacts(schema)?.members[name]
    if (member === undefined) break
    schema = member
    passed.push(name)
  }
  return { path: passed, facts: optionFacts(schema) }
}

function optionProblem(issue: Issue, facts: OptionFacts, merged: MergedConfig): string {
  const name = indexedName(issue.path)
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const sentence = `${name} has the unknown key ${key}; right is ${facts.expected}`
    return placed(merged.placeOfKey([...issue.path, key]), sentence)
  }
  // Inside a structure the schema itself says what is right there; zod's own words do not.
  const isOurs = issue.message.startsWith('must ')
  const sentence = `${name} ${isOurs ? issue.message : `must be ${facts.expected}`}`
  const value = valueAt(merged.values, issue.path)
  const got = facts.isSecret === true ? describe(value) : shown(value)
  return placed(merged.placeOfValue(issue.path), `${sentence}; got ${got}`)
}

function unknownKey(group: OptionPath, key: string): string {
  const sentence = `there is no option ${dottedName([...group, key])}`
  if (key.includes('.')) return `${sentence}; options are nested, as in config.example.yml`
  const siblings = [...outlineOf(brokerConfig)]
    .filter(({ path }) => path.length === group.length + 1)
    .filter(({ path }) => group.every((name, depth) => path[depth] === name))
    .map(({ path }) => path.at(-1) ?? '')
  const near = similarName(key, siblings)
  if (near !== undefined) return `${sentence}; did you mean ${dottedName([...group, near])}?`
  const elsewhere = optionsOf(brokerConfig).find(({ path }) => path.at(-1) === key)
  if (elsewhere !== undefined) return `${sentence}; did you mean ${dottedName(elsewhere.path)}?`
  return sentence
}

/** `auth.tokens[0].sha256` */
function indexedName(path: readonly PropertyKey[]): string {
  return path
    .map((name) => (typeof name === 'number' ? `[${name}]` : `.${String(name)}`))
    .join('')
    .slice(1)
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  const json = JSON.stringify(value)
  return json.length > SHOWN_CHARACTERS_MAX ? `${json.slice(0, SHOWN_CHARACTERS_MAX)}…` : json
}

/** What kind of value it is, for those that must not be repeated. */
function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'string' ? `a text of ${value.length} characters` : `a ${typeof value}`
}
