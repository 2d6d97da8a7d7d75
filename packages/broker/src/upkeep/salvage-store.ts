// From a damaged store to a new, sound one: what can be read is kept, what is known to be dead is
// not brought back, and everything else is told. The damaged store is never written to.

import { limits, systemClock, systemRandom } from '@tq/core'
import { droppedLines } from '../storage/dropped-log.ts'
import { STORE_ID_BYTES, type Head } from '../storage/head-record.ts'
import { isAhead, readMark } from '../storage/high-water.ts'
import { readIdentity } from '../storage/identity.ts'
import { lostFile } from '../storage/level-manifest.ts'
import { StoreError } from '../storage/port.ts'
import { levelSaid, openLevelCopy, repairLevelCopy } from '../storage/raw-level.ts'
import type { Level } from '../storage/store-verification.ts'
import { rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { refuseInside, refuseInStore } from './apart.ts'
import { checkRegistry } from './check-registry.ts'
import { type CheckEvents, checkStore } from './check-store.ts'
import { CopyReader } from './copy-reader.ts'
import { damagedTables } from './damaged-tables.ts'
import { EndedOnce } from './ended-once.ts'
import { FindingList } from './finding.ts'
import { firstEpoch } from './first-epoch.ts'
import { JournalStory } from './journal-story.ts'
import { NewDirectory, refuseUnfinished } from './new-directory.ts'
import { NewStore } from './new-store.ts'
import { Refused } from './refused.ts'
import { Salvage } from './salvage.ts'
import { type CopyOptions, copyStore, type StoreCopy } from './store-copy.ts'
import { Survey } from './survey.ts'

export interface SalvageReport {
  readonly directory: string
  readonly target: string
  readonly storeId: string
  readonly epoch: number
  readonly lsn: number
  /** How LevelDB came open. */
  readonly opened: 'as-it-was' | 'repaired'
  /** Records that were kept, by family. */
  readonly kept: Readonly<Record<string, number>>
  readonly findings: Readonly<Record<string, number>>
  /** Live tasks that are known to have ended: they run again. */
  readonly revived: number
  /** Other live tasks of which nothing tells whether they have ended. */
  readonly mayHaveEnded: number
  /** True if nothing at all was found wrong. */
  readonly isWhole: boolean
}

export interface SalvageOptions extends CopyOptions {
  readonly leavesOutTables?: boolean
  /** The epoch is at least this; for a store that is salvaged a second time. */
  readonly epochMin?: number
  /** Findings of one code that are told one by one. */
  readonly toldMax?: number
}

/** @throws {Refused} */
export async function salvageStore(
  { directory, target }: { readonly directory: string; readonly target: string },
  options: SalvageOptions,
  events: CheckEvents,
): Promise<SalvageReport> {
  await refuseInside(target, directory)
  await refuseInStore(target)
  await refuseUnfinished(directory)
  const unfinished = { state: 'salvaging', from: resolve(directory) } as const
  const made =
    options.leavesOutTables === true
      ? await NewDirectory.markAgain(target, unfinished)
      : await NewDirectory.mark(target, unfinished)
  try {
    return await salvageInto(made, { directory, options, events })
  } catch (error) {
    await made.unmark().catch(() => {})
    throw error
  }
}

async function salvageInto(
  target: NewDirectory,
  of: {
    readonly directory: string
    readonly options: SalvageOptions
    readonly events: CheckEvents
  },
): Promise<SalvageReport> {
  const { directory, options, events } = of
  const findings = new FindingList(events.onFinding, { toldMax: options.toldMax, isSalvage: true })
  const copy = await copyStore(directory, options)
  try {
    await lookAtTables(copy.store, findings, options.leavesOutTables ?? false)
    const { level, how: opened } = await openOrRepair(copy, findings)
    await tellDropped(copy, directory, findings)
    const marks = await marksOf(directory, findings)
    const { epochMin = 0 } = options
    const place = { directory, target, marks, copy, epochMin, opened, findings, events }
    const saved = await saveLevel(level, place)
    await refuseUnsound(target.path, options)
    const { counts, unsoundCount } = findings
    const isWhole = unsoundCount === 0
    return { directory, target: target.path, ...saved, opened, findings: counts, isWhole }
  } finally {
    await copy.remove()
  }
}

/**
 * What LevelDB reads of a damaged table is kept where its seal fits. If LevelDB ends the process
 * over one, the next try leaves such tables out.
 */
async function lookAtTables(
  store: string,
  findings: FindingList,
  leavesOut: boolean,
): Promise<void> {
  for (const { path, what } of await damagedTables(store)) {
    const name = `store/${basename(path).replace(/\.sst$/, '.ldb')}`
    findings.add('unreadable', `a table file is damaged: ${what}`, name)
    if (!leavesOut) continue
    await rm(path)
    const text = 'a damaged table file that LevelDB cannot live with is left out'
    findings.add('lost', text, name, 'look in a backup for what is missing')
  }
}

async function openOrRepair(
  { store, ofStore }: StoreCopy,
  findings: FindingList,
): Promise<{ readonly level: Level; readonly how: SalvageReport['opened'] }> {
  try {
    return { level: await openLevelCopy(store), how: 'as-it-was' }
  } catch (error) {
    const said = (await lostFile(store)) ?? `LevelDB refuses to open it: ${levelSaid(error)}`
    const text = ofStore(said)
    findings.add('unopenable', text, 'store', ADVICE_ON_REPAIR)
  }
  try {
    await repairLevelCopy(store)
    const level = await openLevelCopy(store)
    const text =
      'LevelDB was repaired on a copy, which may bring back what was deleted or written over'
    findings.add('doubtful', text, 'store', 'nothing by itself: what came of it is listed')
    return { level, how: 'repaired' }
  } catch (error) {
    const said = ofStore(levelSaid(error))
    throw new Refused('unsound', `nothing can be read even after a repair: ${said}`)
  }
}

const ADVICE_ON_REPAIR = 'nothing by itself: it was repaired on a copy'

/** What LevelDB left out of its log, now or when a broker last tried to start. */
async function tellDropped(
  { store }: StoreCopy,
  directory: string,
  findings: FindingList,
): Promise<void> {
  const logs = [
    ['store/LOG', join(store, 'LOG')],
    ['damaged/LOG', join(directory, 'damaged', 'LOG')],
  ] as const
  for (const [name, path] of logs) {
    const dropped = await droppedLines(path)
    if (dropped.length === 0) continue
    findings.add('dropped', dropped.slice(0, 5).join(' | '), name)
  }
}

/** What stands outside LevelDB about which store it is and how far it had come. */
async function marksOf(
  directory: string,
  findings: FindingList,
): Promise<{ readonly storeId: Uint8Array | undefined; readonly mark: Head | undefined }> {
  const identity = await readIdentity(directory).catch((error: unknown) => {
    tellStoreError(error, 'identity', findings)
    return undefined
  })
  if (identity === undefined && !findings.has('identity')) {
    findings.add('identity', 'the file identity is missing', 'identity', ADVICE_ON_OWN)
  }
  const mark = await readMark(join(directory, 'high-water')).catch((error: unknown) => {
    tellStoreError(error, 'high-water', findings)
    return undefined
  })
  return { storeId: identity?.storeId ?? mark?.storeId, mark }
}

function tellStoreError(
  error: unknown,
  code: 'identity' | 'high-water',
  findings: FindingList,
): void {
  if (!(error instanceof StoreError)) throw error
  if (error.code === 'NEWER_FORMAT') throw new Refused('unsound', error.message)
  findings.add(code, error.message, code, ADVICE_ON_OWN)
}

const ADVICE_ON_OWN = 'nothing: the new store has one of its own'

interface Place {
  readonly directory: string
  readonly target: NewDirectory
  readonly copy: StoreCopy
  readonly epochMin: number
  readonly opened: SalvageReport['opened']
  readonly marks: Awaited<ReturnType<typeof marksOf>>
  readonly findings: FindingList
  readonly events: CheckEvents
}

async function saveLevel(
  level: Level,
  place: Place,
): Promise<Omit<SalvageReport, 'directory' | 'target' | 'opened' | 'findings' | 'isWhole'>> {
  const { directory, target, marks, findings, events } = place
  try {
    const reader = new CopyReader(level, (said, key) => {
      const text = `LevelDB cannot read at or behind this key: ${place.copy.ofStore(said)}`
      findings.add('unreadable', text, key)
    })
    const survey = new Survey({ reader, findings, onProgress: events.onProgress })
    await checkRegistry(survey)
    const story = await JournalStory.read(reader)
    if (story.gapCount > 0) {
      const text = `${story.gapCount} commits are missing in the journal`
      findings.add('gap', text)
    }
    const isBehind = tellBehind(survey, marks.mark, story)
    const deletions = place.opened === 'repaired' || findings.has('unreadable', 'dropped')
    const endedOnce = new EndedOnce(survey, story, { end: isBehind, deletions })
    const storeId = marks.storeId ?? survey.head?.storeId ?? newStoreId()
    const store = await NewStore.begin(target, storeId)
    try {
      const salvage = new Salvage(survey, { story, endedOnce }, store)
      await salvage.run()
      const lsn = 1 + Math.max(survey.head?.lsn ?? 0, marks.mark?.lsn ?? 0, story.lastLsn)
      const epoch = firstEpoch(lastEpoch(survey, marks.mark, salvage.lastToken), place.epochMin)
      await salvage.writeEnd(lsn)
      const atMs = systemClock.wallMs()
      const origin = { kind: 'salvaged', from: directory, atMs, lsn: lsn - 1, epoch } as const
      await store.finish({ epoch, lsn }, origin)
      return {
        storeId: Buffer.from(storeId).toString('hex'),
        epoch,
        lsn,
        kept: salvage.kept,
        revived: endedOnce.knownCount,
        mayHaveEnded: endedOnce.possibleCount,
      }
    } catch (error) {
      await store.abandon().catch(() => {})
      throw error
    }
  } finally {
    await level.close()
  }
}

/** True if the newest commits are lost. */
function tellBehind(survey: Survey, mark: Head | undefined, story: JournalStory): boolean {
  const lsn = Math.max(survey.head?.lsn ?? 0, story.lastLsn)
  // Without a head nothing tells the epoch.
  const epoch = survey.head?.epoch ?? Infinity
  if (mark === undefined || !isAhead(mark, { epoch, lsn })) return false
  const text = `the store had come to commit ${mark.lsn} (epoch ${mark.epoch}) at least; what is left ends at commit ${lsn} (epoch ${survey.head?.epoch ?? 'unknown'})`
  survey.findings.add('behind', text, 'high-water')
  return true
}

/** Of all that is left of its counters. */
function lastEpoch(survey: Survey, mark: Head | undefined, lastToken: number): number {
  const ofToken = Math.floor(lastToken / limits.TOKENS_PER_EPOCH)
  return Math.max(survey.head?.epoch ?? 0, mark?.epoch ?? 0, ofToken)
}

function newStoreId(): Uint8Array {
  const storeId = new Uint8Array(STORE_ID_BYTES)
  systemRandom.fill(storeId)
  return storeId
}

/** What was made is checked like any other store before it is called done. */
async function refuseUnsound(target: string, options: CopyOptions): Promise<void> {
  const wrong: string[] = []
  const events = {
    onFinding: ({ what, key = '' }: { readonly what: string; readonly key?: string }): void =>
      void wrong.push(`${key} ${what}`),
    onProgress: (): void => {},
  }
  const { onMade } = options
  const report = await checkStore(target, onMade === undefined ? {} : { onMade }, events)
  if (report.isSound) return
  throw new Refused(
    'unsound',
    `the store that was made in ${target} is not sound, which is a bug of tq: ${wrong.slice(0, 5).join('; ')}`,
  )
}
