// Options of the form name=value, which may be given several times.

import type { Labels } from '@tq/core'
import { InvalidArgumentError } from 'commander'

/** Gathers `--header name=value`. */
export function parseHeader(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [name, value] = split(text)
  return { ...before, [name]: value }
}

/** Gathers `--require name=value`: `true`, `false` and numbers are meant as such. */
export function parseLabel(text: string, before: Labels | undefined): Labels {
  const [name, value] = split(text)
  return { ...before, [name]: labelOf(value) }
}

/** The same as text again, for people. */
export function showLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
}

function split(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write name=value.')
  return [text.slice(0, at), text.slice(at + 1)]
}

function labelOf(value: string): string | number | boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  if (!/^-?\d+(\.\d+)?$/.test(value)) return value
  const number = Number(value)
  if (Number.isSafeInteger(number) || !Number.isInteger(number)) return number
  throw new InvalidArgumentError(`The number ${value} is beyond 2^53 and would change.`)
}
