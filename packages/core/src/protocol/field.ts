// Fields of a request: checks that turn `unknown` into a type, or say which field is wrong and why.

import type { ErrorCode } from '../error.ts'

/** A map as it came from the wire: any keys, any values. */
export type Fields = Readonly<Record<string, unknown>>

export interface NumberRange {
  readonly min: number
  readonly max: number
}

export interface BytesRange {
  readonly bytesMin: number
  readonly bytesMax: number
}

/** Thrown by the checks here; the parser of the whole request turns it into its one typed error. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
  readonly code: ErrorCode
  /** Where in the arguments, such as `tasks[3].options.priority`. */
  readonly path: string
  /** What is wrong with it and what would be right, to be read after the path. */
  readonly problem: string
  /** The item of the request's list, if the field is in one. */
  readonly index: number | undefined

  constructor(code: ErrorCode, path: string, problem: string, index?: number) {
    super(`${path} ${problem}`)
    this.code = code
    this.path = path
    this.problem = problem
    this.index = index
  }
}

export function badField(path: string, problem: string): never {
  throw new FieldError('BAD_REQUEST', path, problem)
}

export function tooLarge(path: string, problem: string): never {
  throw new FieldError('TOO_LARGE', path, problem)
}

/**
 * The same error one level up. Paths are made while unwinding, so that a request without mistakes
 * never builds one.
 */
export function within(error: unknown, name: string): unknown {
  if (!(error instanceof FieldError)) return error
  const separator = error.path === '' || error.path.startsWith('[') ? '' : '.'
  return new FieldError(error.code, `${name}${separator}${error.path}`, error.problem, error.index)
}

/** The same error inside an item of a list. */
export function withinItem(error: unknown, name: string, index: number): unknown {
  const outer = within(error, `${name}[${index}]`)
  if (!(outer instanceof FieldError)) return outer
  return new FieldError(outer.code, outer.path, outer.problem, index)
}

/** Left out, or nil, which means the same. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

export function requireMap(value: unknown, name: string): Fields {
  const isMap =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Date)
  return isMap ? (value as Fields) : badField(name, `must be a map, got ${kindOf(value)}`)
}

/** Refuses keys that the verb does not have: a misspelt option must not be ignored. */
export function refuseUnknown(fields: Fields, known: ReadonlySet<string>): void {
  for (const key in fields) if (!known.has(key)) refuseKey(key, known)
}

export function refuseKey(key: string, known: ReadonlySet<string>): never {
  const names = known.size === 0 ? 'there are none here' : `there are ${[...known].join(', ')}`
  return badField(key.slice(0, 64), `is not a known field; ${names}`)
}

export function requireInteger(value: unknown, name: string, range: NumberRange): number {
  if (Number.isInteger(value) && (value as number) >= range.min && (value as number) <= range.max) {
    return value as number
  }
  const bounds = `must be an integer from ${range.min} to ${range.max}`
  return badField(name, `${bounds}, got ${typeof value === 'number' ? value : kindOf(value)}`)
}

export function optionalInteger(
  value: unknown,
  name: string,
  range: NumberRange,
): number | undefined {
  return isAbsent(value) ? undefined : requireInteger(value, name, range)
}

export function requireNumber(value: unknown, name: string, range: NumberRange): number {
  if (typeof value === 'number' && value >= range.min && value <= range.max) return value
  const bounds = `must be a number from ${range.min} to ${range.max}`
  return badField(name, `${bounds}, got ${typeof value === 'number' ? value : kindOf(value)}`)
}

export function requireBoolean(value: unknown, name: string): boolean {
  return typeof value === 'boolean'
    ? value
    : badField(name, `must be true or false, got ${kindOf(value)}`)
}

export function requireText(value: unknown, name: string, range: BytesRange): string {
  if (typeof value !== 'string') return badField(name, `must be a str, got ${kindOf(value)}`)
  if (value.length < range.bytesMin) return badField(name, 'must not be empty')
  // A character has up to three bytes in UTF-8, so most texts need not be measured.
  if (value.length * 3 > range.bytesMax) {
    const byteCount = Buffer.byteLength(value, 'utf8')
    if (byteCount > range.bytesMax) {
      return tooLarge(name, `may have ${range.bytesMax} bytes, got ${byteCount}`)
    }
  }
  return value
}

export function optionalText(value: unknown, name: string, range: BytesRange): string | undefined {
  return isAbsent(value) ? undefined : requireText(value, name, range)
}

/** A text for one line of a list or a log: no control characters. */
export function requireLine(value: unknown, name: string, range: BytesRange): string {
  const text = requireText(value, name, range)
  return hasControl(text) ? badField(name, 'must not have control characters') : text
}

/** A key of a map that the sender names: a line that is not empty. */
export function requireKey(key: string, range: BytesRange): void {
  if (key === '') badField('', 'must not have an empty name')
  requireLine(key, key, range)
}

/** One of a closed list of words. */
export function requireWord<Word extends string>(
  value: unknown,
  name: string,
  words: readonly Word[],
): Word {
  const index = words.indexOf(value as Word)
  const word = words[index]
  if (word !== undefined) return word
  const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value)
  return badField(name, `must be one of ${words.join(', ')}, got ${got}`)
}

export function requireBytes(value: unknown, name: string, bytesMax: number): Uint8Array {
  if (!(value instanceof Uint8Array)) return badField(name, `must be a bin, got ${kindOf(value)}`)
  return value.length <= bytesMax
    ? value
    : tooLarge(name, `may have ${bytesMax} bytes, got ${value.length}`)
}

export function requireList(value: unknown, name: string, range: NumberRange): readonly unknown[] {
  if (!Array.isArray(value)) return badField(name, `must be an array, got ${kindOf(value)}`)
  if (value.length < range.min) return badField(name, 'must not be empty')
  return value.length <= range.max
    ? (value as readonly unknown[])
    : tooLarge(name, `may have ${range.max} items, got ${value.length}`)
}

/** Parses each item; an error names the item. */
export function parseItems<Item>(
  value: unknown,
  name: string,
  range: NumberRange,
  parseItem: (item: unknown) => Item,
): readonly Item[] {
  const list = requireList(value, name, range)
  const items: Item[] = []
  let index = 0
  try {
    for (; index < list.length; index += 1) items.push(parseItem(list[index]))
  } catch (error) {
    throw withinItem(error, name, index)
  }
  return items
}

/** An array that stands for a record: its fields by position, trailing nils may be left off. */
export function requireTuple(
  value: unknown,
  countMin: number,
  countMax: number,
): readonly unknown[] {
  if (!Array.isArray(value)) return badField('', `must be an array, got ${kindOf(value)}`)
  if (value.length >= countMin && value.length <= countMax) return value as readonly unknown[]
  const counts = countMin === countMax ? `${countMin}` : `${countMin} to ${countMax}`
  return badField('', `must be an array of ${counts} values, got ${value.length}`)
}

/** The fields that are there; for types whose optional fields must not hold undefined. */
export function definedOnly<Type extends object>(fields: {
  [Name in keyof Type]: Type[Name] | undefined
}): Type {
  const defined: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) defined[name] = value
  return defined as Type
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true
  }
  return false
}

/** The kind of a value in the words of MessagePack. Values are not shown: they may be secrets. */
function kindOf(value: unknown): string {
  if (isAbsent(value)) return 'nothing'
  if (typeof value === 'string') return 'a str'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean') return `${value}`
  if (value instanceof Uint8Array) return `a bin of ${value.length} bytes`
  if (Array.isArray(value)) return `an array of ${value.length}`
  return value instanceof Date ? 'a timestamp' : 'a map'
}
