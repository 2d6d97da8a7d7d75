// From a damaged store to a new, sound one: what can be read is kept, what is known to be dead is
// not brought back, and everything else is told. The damaged store is never written to.

import { limits, systemClock, systemRandom } from '@tq/core'
import { droppedLines } from '../storage/dropped-log.ts'
import { STORE_ID_BYTES, type Head } from '../storage/head-record.ts'
import { readMark } from '../storage/high-water.ts'
import { readIdentity } from '../storage/identity.ts'
import { StoreError } from '../storage/port.ts'
import { levelSaid, openLevelCopy, repairLevelCopy } from '../storage/raw-level.ts'
import { EPOCH_SKIP, type Level } from '../storage/store-verification.ts'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { checkRegistry } from './check-registry.ts'
import { type CheckEvents, checkStore } from './check-store.ts'
import { CopyReader } from './copy-reader.ts'
import { damagedTables } from './damaged-tables.ts'
import { FindingList } from './finding.ts'
import { JournalStory } from './journal-story.ts'
import { NewStore, refuseOccupied } from './new-store.ts'
import { Refused } from './refused.ts'
import { Salvage } from './salvage.ts'
import { type CopyOptions, copyStore } from './store-copy.ts'
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
  /** True if nothing at all was found wrong. */
  readonly isWhole: boolean
}

/** @throws {Refused} */
export async function salvageStore(
  { directory, target }: { readonly directory: string; readonly target: string },
  options: CopyOptions & { readonly leavesOutTables?: boolean },
  events: CheckEvents,
): Promise<SalvageReport> {
  await refuseOccupied(target)
  const findings = new FindingList(events.onFinding)
  const copy = await copyStore(directory, options)
  try {
    await lookAtTables(copy.store, findings, options.leavesOutTables ?? false)
    const opened = await openOrRepair(copy.store, findings)
    const marks = await marksOf(directory, findings)
    const saved = await saveLevel(opened.level, { directory, target, marks, findings, events })
    await refuseUnsound(target, options)
    const { counts, unsoundCount } = findings
    const isWhole = unsoundCount === 0
    return { directory, target, ...saved, opened: opened.how, findings: counts, isWhole }
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
    findings.add('lost', 'a damaged table file that LevelDB cannot live with is left out', name)
  }
}

async function openOrRepair(
  store: string,
  findings: FindingList,
): Promise<{ readonly level: Level; readonly how: SalvageReport['opened'] }> {
  try {
    const level = await openLevelCopy(store)
    await tellDropped(store, findings)
    return { level, how: 'as-it-was' }
  } catch (error) {
    findings.add('unopenable', `LevelDB refuses to open it: ${levelSaid(error)}`, 'store')
  }
  try {
    await repairLevelCopy(store)
    const level = await openLevelCopy(store)
    const text =
      'LevelDB was repaired on a copy, which brings back what was deleted or written over'
    findings.add('doubtful', text, 'store')
    return { level, how: 'repaired' }
  } catch (error) {
    throw new Refused('unsound', `nothing can be read even after a repair: ${levelSaid(error)}`)
  }
}

async function tellDropped(store: string, findings: FindingList): Promise<void> {
  const dropped = await droppedLines(join(store, 'LOG'))
  if (dropped.length > 0) findings.add('dropped', dropped.slice(0, 5).join(' | '), 'store/LOG')
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
  findings.add(code, error.message, code)
}

interface Place {
  readonly directory: string
  readonly target: string
  readonly marks: Awaited<ReturnType<typeof marksOf>>
  readonly findings: FindingList
  readonly events: CheckEvents
}

async function saveLevel(
  level: Level,
  place: Place,
): Promise<Pick<SalvageReport, 'storeId' | 'epoch' | 'lsn' | 'kept'>> {
  const { directory, target, marks, findings, events } = place
  try {
    const reader = new CopyReader(level, (said, key) => {
      findings.add('unreadable', `LevelDB cannot read at or behind this key: ${said}`, key)
    })
    const survey = new Survey({ reader, findings, onProgress: events.onProgress })
    await checkRegistry(survey)
    const story = await JournalStory.read(reader)
    if (story.gapCount > 0) {
      findings.add('gap', `${story.gapCount} commits are missing in the journal`)
    }
    tellBehind(survey, marks.mark, story)
    const storeId = marks.storeId ?? survey.head?.storeId ?? newStoreId()
    const store = await NewStore.begin(target, storeId)
    try {
      const salvage = new Salvage(survey, story, store)
      await salvage.run()
      const lsn = 1 + Math.max(survey.head?.lsn ?? 0, marks.mark?.lsn ?? 0, story.lastLsn)
      const epoch = epochAbove(survey, marks.mark, salvage.lastToken)
      await salvage.writeEnd(lsn)
      const atMs = systemClock.wallMs()
      const origin = { kind: 'salvaged', from: directory, atMs, lsn: lsn - 1, epoch } as const
      await store.finish({ epoch, lsn }, origin)
      return { storeId: Buffer.from(storeId).toString('hex'), epoch, lsn, kept: salvage.kept }
    } catch (error) {
      await store.abandon().catch(() => {})
      throw error
    }
  } finally {
    await level.close()
  }
}

function tellBehind(survey: Survey, mark: Head | undefined, story: JournalStory): void {
  const lastLsn = Math.max(survey.head?.lsn ?? 0, story.lastLsn)
  if (mark === undefined || mark.lsn <= lastLsn) return
  const text = `the store had come to commit ${mark.lsn}; what is left ends at commit ${lastLsn}`
  survey.findings.add('behind', text, 'high-water')
}

/** No token of the damaged store is given a second time, whatever is left of its counters. */
function epochAbove(survey: Survey, mark: Head | undefined, lastToken: number): number {
  const ofToken = Math.floor(lastToken / limits.TOKENS_PER_EPOCH)
  return EPOCH_SKIP + Math.max(survey.head?.epoch ?? 0, mark?.epoch ?? 0, ofToken)
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
