// Numbers with units, as people write them: 64MiB, 24h, 15s, 10_000.

/** What a number counts. Times and sizes may be written with a unit; the rest are plain numbers. */
export type Unit = 'ms' | 'bytes' | 'count' | 'a second' | 'factor'

const TEXT_PATTERN = /^(\d[\d_]*(?:\.\d+)?)\s*([A-Za-z]*)$/

const MS_BY_SUFFIX: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 24 * 3_600_000,
}
const BYTES_BY_SUFFIX: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** The number that a text means; the value itself if it is none, for the schema to refuse. */
export function readQuantity(value: unknown, unit: Unit): unknown {
  if (typeof value !== 'string') return value
  const [, digits, suffix] = TEXT_PATTERN.exec(value.trim()) ?? []
  if (digits === undefined || suffix === undefined) return value
  const number = Number(digits.replaceAll('_', ''))
  if (suffix === '') return number
  const factor = suffixesOf(unit)[suffix]
  return factor === undefined ? value : number * factor
}

/** A number as it may stand in a file: in the greatest unit that leaves it whole. */
export function writeQuantity(value: number, unit: Unit): string {
  const suffixes = Object.entries(suffixesOf(unit)).reverse()
  const fitting = suffixes.find(([, factor]) => value >= factor && value % factor === 0)
  return fitting === undefined ? String(value) : `${value / fitting[1]}${fitting[0]}`
}

/** The same with its plain number before it, for people. */
export function showQuantity(value: number, unit: Unit): string {
  const grouped = value.toLocaleString('en-US', { maximumFractionDigits: 6 })
  const written = writeQuantity(value, unit)
  const isPlain = unit !== 'ms' && unit !== 'bytes'
  return isPlain || /^\d+(ms|B)?$/.test(written) ? grouped : `${grouped} (${written})`
}

/** How such a number may be written, to be read in an error or a reference. */
export function spellingsOf(unit: Unit): string {
  if (unit === 'ms') return 'in ms, or with a unit such as 500ms, 15s, 5m, 24h or 7d'
  if (unit === 'bytes') return 'in bytes, or with a unit such as 512KiB, 64MiB or 2GiB'
  return ''
}

function suffixesOf(unit: Unit): Readonly<Record<string, number>> {
  if (unit === 'ms') return MS_BY_SUFFIX
  return unit === 'bytes' ? BYTES_BY_SUFFIX : {}
}
