// Judges what a broker made of a damaged store: right, refused by name, lost in the tail, or wrong.

import type { ChildEnd } from './child.ts'
import type { ChildReport } from './child-report.ts'
import { payloadOf, resultOf } from './known-task.ts'
import { bytesOf, hexOf, type Promised } from './load.ts'
import { REFUSED, type Reading } from './reading.ts'

type Read = Extract<ChildReport, { kind: 'read' }>

export type Verdict =
  /** Every value was right: the damage hit nothing that is read, or was mended. */
  | { readonly kind: 'right' }
  /** The start was refused with the code of a StoreError. */
  | { readonly kind: 'start-refused'; readonly code: string; readonly said: string }
  /** LevelDB aborted the process before it listened. */
  | { readonly kind: 'start-aborted' }
  /** Values are missing, and the broker said so: for each of them, or in its log. */
  | { readonly kind: 'reported'; readonly count: number }
  /** Commits after the high-water mark are gone, all of them up to the newest: nobody can tell. */
  | { readonly kind: 'tail'; readonly commits: number }
  | { readonly kind: 'violation'; readonly what: readonly string[] }

export interface Truth {
  readonly reading: Reading
  readonly lsn: number
  readonly markedLsn: number
  readonly promised: readonly Promised[]
}

/** What an undamaged start says wrongly of what was acknowledged; empty if nothing. */
export function falsehoods(reading: Reading, promised: readonly Promised[]): string[] {
  return promised.flatMap((one) => {
    const text = reading[`task ${one.id}`] ?? '{}'
    if (text.startsWith(REFUSED)) return [`task ${one.id}: ${text}`]
    const task = JSON.parse(text) as {
      state: string
      payload: string
      end?: { result?: string }
    }
    const isRight =
      task.state === one.state &&
      task.payload === `0x${hexOf(payloadOf(bytesOf(one.id)))}` &&
      (one.state !== 'completed' || task.end?.result === `0x${hexOf(resultOf(bytesOf(one.id)))}`)
    return isRight ? [] : [`task ${one.id}: promised ${one.state}, read ${text.slice(0, 200)}`]
  })
}

export function judge(ended: ChildEnd, truth: Truth): Verdict {
  const last = ended.reports.at(-1)
  if (ended.isOverdue) return violation(`it hangs; ${ended.output}`)
  if (last === undefined) return { kind: 'start-aborted' }
  switch (last.kind) {
    case 'refused':
      return last.said.length > 20
        ? { kind: 'start-refused', code: last.code, said: last.said }
        : violation(`a refusal without a sentence: ${last.said}`)
    case 'read':
      return judgeReading(last, truth)
    case 'crashed':
    case 'gave-up':
      return violation(`${last.kind}: ${last.said}`)
    default:
      return violation(`it ended (${ended.end}) while it was read: ${ended.output}`)
  }
}

function judgeReading(read: Read, truth: Truth): Verdict {
  const lostCommits = truth.lsn - read.lsn
  const lost = new Set(truth.promised.filter(({ lsn }) => lsn > read.lsn).map(({ id }) => id))
  if (lostCommits > 0 && read.lsn < truth.markedLsn) {
    return violation(`commits ${read.lsn + 1} to ${truth.lsn} are gone, marked ${truth.markedLsn}`)
  }
  const wrong: string[] = []
  let reported = 0
  const names = new Set([...Object.keys(truth.reading), ...Object.keys(read.reading)])
  for (const name of names) {
    const [expected, found] = [truth.reading[name], read.reading[name]]
    if (expected === found) continue
    const id = name.slice(name.indexOf(' ') + 1)
    if (lost.has(id) || (lostCommits > 0 && name === 'queue tail')) continue
    if (isExplained(name, { expected, found }, read)) reported += 1
    else wrong.push(`${name}: expected ${cut(expected)}, found ${cut(found)}`)
  }
  if (wrong.length > 0) return { kind: 'violation', what: wrong }
  if (lostCommits > 0) return { kind: 'tail', commits: lostCommits }
  return reported > 0 ? { kind: 'reported', count: reported } : { kind: 'right' }
}

/** Something is not as it was; has the broker said so? */
function isExplained(
  name: string,
  {
    expected,
    found,
  }: { readonly expected: string | undefined; readonly found: string | undefined },
  { reading, damages }: Read,
): boolean {
  // Something that nobody asked for, such as a task that came back, is never right.
  if (expected === undefined && !name.startsWith('list') && !name.startsWith('claim ')) return false
  if (found !== undefined && /^refused (UNAVAILABLE|INTERNAL|OUTCOME_UNKNOWN)$/.test(found)) {
    return true
  }
  const [kind = '', id = ''] = name.split(' ')
  const isDamageKnown = damages.some(({ key }) => key.includes(id))
  const after = reading[`after ${id}`] ?? ''
  switch (kind) {
    case 'task':
    case 'row':
    case 'again':
      if (reading['list']?.startsWith(REFUSED) && kind === 'row' && found === undefined) return true
      return isDamageKnown && !isContradiction(expected, found)
    case 'after':
      return isDamageKnown || isQuarantined(after)
    case 'claim':
      return found === undefined && (isQuarantined(after) || isRefusedClaim(reading))
    case 'queue':
      return false
    default:
      return false
  }
}

/** A task may lose parts that are reported damaged; what it still says must be as it was. */
function isContradiction(expected: string | undefined, found: string | undefined): boolean {
  if (expected === undefined) return true
  if (found === undefined || found.startsWith(REFUSED)) return false
  const [before, after] = [JSON.parse(expected) as unknown, JSON.parse(found) as unknown]
  if (Array.isArray(before) || typeof before !== 'object' || typeof after !== 'object') return true
  const kept = Object.entries(after ?? {}).filter(([field]) => field !== 'history')
  const was = before as Record<string, unknown>
  return kept.some(([field, value]) => JSON.stringify(was[field]) !== JSON.stringify(value))
}

function isQuarantined(text: string): boolean {
  return text.includes('"reason":"unreadable_payload"')
}

function isRefusedClaim(reading: Reading): boolean {
  return Object.entries(reading).some(
    ([name, text]) => name.startsWith('claim ') && text.startsWith(REFUSED),
  )
}

function violation(what: string): Verdict {
  return { kind: 'violation', what: [what] }
}

function cut(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.slice(0, 300)
}
