// One option of the configuration: a zod schema together with what people must know about it.

import { z } from 'zod'
import { readQuantity, showQuantity, spellingsOf, type Unit } from './quantity.ts'

export interface OptionFacts {
  readonly kind: 'text' | 'number' | 'flag' | 'choice' | 'structure'
  /** What is used where nobody says otherwise. */
  readonly initial: unknown
  /** What would be right, to be read after "must be". */
  readonly expected: string
  readonly help: string
  readonly unit?: Unit
  readonly range?: readonly [min: number, max: number]
  readonly choices?: readonly string[]
  /** The value says too much to be repeated in an error or a log. */
  readonly isSecret?: boolean
}

export interface GroupFacts {
  readonly help: string
  readonly members: Readonly<Record<string, z.ZodType>>
}

/**
 * The facts of each option's schema, and of each group's. Not a registry of zod: that would change
 * the type of schemas in the facts.
 */
const OPTION_FACTS = new WeakMap<z.ZodType, OptionFacts>()
const GROUP_FACTS = new WeakMap<z.ZodType, GroupFacts>()

export function optionFacts(schema: z.ZodType): OptionFacts | undefined {
  return OPTION_FACTS.get(schema)
}

export function groupFacts(schema: z.ZodType): GroupFacts | undefined {
  return GROUP_FACTS.get(schema)
}

export interface NumberOption {
  readonly initial: number
  readonly min: number
  readonly max: number
  readonly unit: Unit
  readonly help: string
}

export function wholeNumber(option: NumberOption): z.ZodType<number> {
  return registerNumber(z.int(), 'a whole number', option)
}

export function decimalNumber(option: NumberOption): z.ZodType<number> {
  return registerNumber(z.number(), 'a number', option)
}

export function flag(option: {
  readonly initial: boolean
  readonly help: string
}): z.ZodType<boolean> {
  const schema = z.preprocess(readFlag, z.boolean()).default(option.initial)
  return described(schema, { kind: 'flag', expected: 'true or false', ...option })
}

export function text(option: {
  readonly initial: string
  readonly charactersMax: number
  readonly help: string
}): z.ZodType<string> {
  const { initial, charactersMax, help } = option
  const schema = z
    .string()
    .min(1)
    .max(charactersMax)
    .regex(/^[^\p{Cc}]*$/u)
    .default(initial)
  const expected = `a text of 1 to ${charactersMax} characters without line breaks`
  return described(schema, { kind: 'text', initial, expected, help })
}

export function choice<const T extends string>(option: {
  readonly initial: T
  readonly choices: readonly T[]
  readonly help: string
}): z.ZodType<T> {
  const { initial, choices, help } = option
  const schema = z
    .string()
    .pipe(z.enum(choices))
    .default(initial as never)
  const expected = `one of ${choices.join(', ')}`
  return described(schema, { kind: 'choice', initial, expected, choices, help }) as never
}

/** A list or map that is written as a whole, such as the tokens. */
export function structure<T>(
  schema: z.ZodType<T>,
  option: {
    readonly initial: T
    readonly expected: string
    readonly help: string
    readonly isSecret?: boolean
  },
): z.ZodType<T> {
  const defaulted = schema.default(option.initial as never)
  return described(defaulted, { kind: 'structure', ...option }) as never
}

/** A number inside a structure, which has no default and no names of its own. */
export function innerNumber(
  option: Pick<NumberOption, 'min' | 'max' | 'unit'> & { readonly isWhole?: boolean },
): z.ZodType<number> {
  const { min, max, unit } = option
  const isWhole = option.isWhole ?? false
  const error = `must be ${expectedNumber(isWhole ? 'a whole number' : 'a number', option)}`
  const number = isWhole ? z.int(error) : z.number(error)
  return z.preprocess((value) => readQuantity(value, unit), number.min(min, error).max(max, error))
}

/** A map inside a structure; other keys are refused. */
export function strictMap<T extends Record<string, z.ZodType>>(
  members: T,
): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(members, `must be a map with ${Object.keys(members).join(', ')}`)
}

/** Options that belong together; what is left out has its default. */
export function group<T extends Record<string, z.ZodType>>(
  help: string,
  members: T,
): z.ZodType<z.output<z.ZodObject<T>>> {
  const schema = z.strictObject(members).prefault({} as never)
  GROUP_FACTS.set(schema, { help, members })
  return schema as never
}

function registerNumber(
  number: z.ZodNumber,
  noun: string,
  option: NumberOption,
): z.ZodType<number> {
  const { initial, min, max, unit, help } = option
  const limited = number.min(min).max(max)
  const schema = z.preprocess((value) => readQuantity(value, unit), limited).default(initial)
  const expected = expectedNumber(noun, option)
  const facts = { kind: 'number', initial, expected, help, unit, range: [min, max] } as const
  return described(schema, facts)
}

function described<T extends z.ZodType>(schema: T, facts: OptionFacts): T {
  OPTION_FACTS.set(schema, facts)
  return schema
}

function expectedNumber(noun: string, of: Pick<NumberOption, 'min' | 'max' | 'unit'>): string {
  const { min, max, unit } = of
  const spellings = spellingsOf(unit)
  const range = `${noun} from ${showQuantity(min, unit)} to ${showQuantity(max, unit)}`
  return spellings === '' ? range : `${range}, ${spellings}`
}

function readFlag(value: unknown): unknown {
  if (value === 'true') return true
  return value === 'false' ? false : value
}
