// Durations as people write and read them: 500ms, 5s, 10m, 2h, 1d.

import { InvalidArgumentError } from 'commander'

const TEXT_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const MS_BY_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
/** Units for reading, from the greatest down. */
const UNITS = ['d', 'h', 'm', 's'] as const

/** The milliseconds that a text such as `1.5s` means; for options. */
export function parseDuration(text: string): number {
  const [, digits, unit] = TEXT_PATTERN.exec(text.trim()) ?? []
  const factor = MS_BY_UNIT[unit ?? '']
  if (digits === undefined || factor === undefined) {
    throw new InvalidArgumentError('Write a number with a unit: 500ms, 5s, 10m, 2h or 1d.')
  }
  return Math.round(Number(digits) * factor)
}

/** A duration to be read: its two greatest units, `2h 5m`; below ten seconds `1.5s`, `340ms`. */
export function showDuration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)}ms`
  if (ms < 10_000) return `${Math.round(ms / 100) / 10}s`
  const parts: string[] = []
  let restMs = Math.round(ms / 1_000) * 1_000
  for (const unit of UNITS) {
    const factor = MS_BY_UNIT[unit] as number
    const count = Math.floor(restMs / factor)
    restMs -= count * factor
    if (count > 0 || parts.length > 0) parts.push(`${count}${unit}`)
  }
  const [first, second] = parts
  return second === undefined || second.startsWith('0') ? `${first}` : `${first} ${second}`
}
