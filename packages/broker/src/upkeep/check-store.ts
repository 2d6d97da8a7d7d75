// The check of a whole store at rest: every record, and everything that records say of each other.

import { basename, join } from 'node:path'
import { adviceOnDamage } from '../storage/advice.ts'
import { droppedLines } from '../storage/dropped-log.ts'
import { exists } from '../storage/durable-file.ts'
import { HEAD_KEY } from '../storage/head-record.ts'
import { isAhead, readMark } from '../storage/high-water.ts'
import { type Identity, readIdentity, readUnfinished, unfinishedText } from '../storage/identity.ts'
import { lostFile } from '../storage/level-manifest.ts'
import { StoreError } from '../storage/port.ts'
import { isLevelDamage, levelSaid, openLevelCopy } from '../storage/raw-level.ts'
import type { Level } from '../storage/store-verification.ts'
import { checkBelongings } from './check-belongings.ts'
import { checkJournal } from './check-journal.ts'
import { checkRegistry } from './check-registry.ts'
import { checkStart } from './check-start.ts'
import { TaskCheck } from './check-tasks.ts'
import { CopyReader } from './copy-reader.ts'
import { damagedTables } from './damaged-tables.ts'
import { type Finding, FindingList } from './finding.ts'
import { type CopyOptions, copyStore, type StoreCopy } from './store-copy.ts'
import { Survey } from './survey.ts'

export interface CheckEvents {
  readonly onFinding: (finding: Finding) => void
  readonly onProgress: (family: string, records: number) => void
}

export interface CheckReport {
  readonly directory: string
  readonly isSound: boolean
  /** False if a broker refuses to start on it. */
  readonly starts: boolean
  /** What helps, with the commands, if none does. */
  readonly advice?: string
  readonly storeId?: string
  readonly epoch?: number
  readonly lsn?: number
  /** Records by family. */
  readonly records: Readonly<Record<string, number>>
  /** Tasks by queue and state. */
  readonly queues: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** All findings, by code, whether told or not. */
  readonly findings: Readonly<Record<string, number>>
  readonly copiedBytes: number
}

export interface CheckOptions extends CopyOptions {
  /** Findings of one code that are told one by one. */
  readonly toldMax?: number
}

/** Checks the store in a data directory without changing anything in it. @throws {Refused} */
export async function checkStore(
  directory: string,
  options: CheckOptions,
  events: CheckEvents,
): Promise<CheckReport> {
  const findings = new FindingList(events.onFinding, { toldMax: options.toldMax })
  const unfinished = await readUnfinished(directory)
  if (unfinished !== undefined) {
    findings.add('unfinished', unfinishedText(directory, unfinished), 'identity')
    return reportOf(directory, findings)
  }
  const copy = await copyStore(directory, options)
  try {
    const identity = await checkIdentity(directory, findings)
    await checkLeftovers(directory, findings)
    const tablesStopStart = await checkTables(copy.store, findings)
    const level = await openOrFind(copy, findings)
    const parts = { findings, events, ofStore: copy.ofStore }
    const checked = level === undefined ? undefined : await checkLevel(level, parts)
    if (checked !== undefined) await checkMarks(directory, identity, checked.survey)
    const report = reportOf(directory, findings)
    const starts = report.starts && !tablesStopStart
    return {
      ...report,
      starts,
      ...(starts ? {} : { advice: `no broker starts on it. ${adviceOnDamage(directory)}` }),
      ...headOf(checked?.survey),
      records: checked?.survey.counts ?? {},
      queues: checked?.queues ?? {},
      copiedBytes: copy.copiedBytes,
    }
  } finally {
    await copy.remove()
  }
}

/** What can be said of a store into which nobody has looked. */
function reportOf(directory: string, findings: FindingList): CheckReport {
  const isSound = findings.unsoundCount === 0
  const starts = !findings.has(...STOPPING)
  const { counts } = findings
  return { directory, isSound, starts, records: {}, queues: {}, findings: counts, copiedBytes: 0 }
}

/** Findings with which a broker refuses to start. */
const STOPPING = [
  'unfinished',
  'identity',
  'unopenable',
  'dropped',
  'head',
  'behind',
  'high-water',
  'refused',
] as const

/** Checks an opened copy, and closes it. */
async function checkLevel(
  level: Level,
  { findings, events, ofStore }: Parts,
): Promise<{ readonly survey: Survey; readonly queues: CheckReport['queues'] }> {
  try {
    const reader = new CopyReader(level, (said, key) => {
      const text = `LevelDB cannot read at or behind this key: ${ofStore(said)}`
      findings.add('unreadable', text, key)
    })
    const survey = new Survey({ reader, findings, onProgress: events.onProgress })
    await checkRegistry(survey)
    const tasks = new TaskCheck(survey)
    await tasks.run()
    await checkBelongings(survey)
    await checkJournal(survey)
    events.onProgress('start', 0)
    await checkStart(survey)
    const queues = [...tasks.byState].map(([queue, counts]) => [queue, Object.fromEntries(counts)])
    return { survey, queues: Object.fromEntries(queues) as CheckReport['queues'] }
  } finally {
    await level.close()
  }
}

interface Parts extends Pick<StoreCopy, 'ofStore'> {
  readonly findings: FindingList
  readonly events: CheckEvents
}

async function checkIdentity(
  directory: string,
  findings: FindingList,
): Promise<Identity | undefined> {
  try {
    const identity = await readIdentity(directory)
    if (identity === undefined) findings.add('identity', 'the file identity is missing')
    if (identity?.state === 'creating') {
      findings.add('cut-off', 'the store was being made, and nothing in it was ever acknowledged')
    }
    return identity
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    findings.add('identity', error.message)
    return undefined
  }
}

/** What a start that did not come to its end has left. */
async function checkLeftovers(directory: string, findings: FindingList): Promise<void> {
  const dropped = await droppedLines(join(directory, 'damaged', 'LOG'))
  if (dropped.length > 0) {
    findings.add('dropped', `an earlier start found: ${dropped.join(' | ')}`, 'damaged/LOG')
  }
  if (await exists(join(directory, 'starting'))) {
    findings.add('cut-off', 'the last start was cut off, or a broker is starting', 'starting')
  }
}

/**
 * Before LevelDB reads them: it may end the process over a damaged one. True if one of them stops a
 * start, which reads only the newest.
 */
async function checkTables(store: string, findings: FindingList): Promise<boolean> {
  const damaged = await damagedTables(store)
  for (const { path, what } of damaged) {
    const name = basename(path).replace(/\.sst$/, '.ldb')
    findings.add('unreadable', `a table file is damaged: ${what}`, `store/${name}`)
  }
  return damaged.some(({ isVerified }) => isVerified)
}

async function openOrFind(
  { store, ofStore }: StoreCopy,
  findings: FindingList,
): Promise<Level | undefined> {
  const lost = await lostFile(store)
  if (lost !== undefined) {
    findings.add('unopenable', ofStore(lost), 'store')
    return undefined
  }
  try {
    const level = await openLevelCopy(store)
    const dropped = await droppedLines(join(store, 'LOG'))
    if (dropped.length > 0) findings.add('dropped', dropped.slice(0, 5).join(' | '), 'store/LOG')
    return level
  } catch (error) {
    if (!isLevelDamage(error)) throw error
    findings.add('unopenable', `LevelDB refuses to open it: ${ofStore(levelSaid(error))}`, 'store')
    return undefined
  }
}

/** The head against what is kept outside LevelDB. */
async function checkMarks(
  directory: string,
  identity: Identity | undefined,
  { head, findings }: Survey,
): Promise<void> {
  if (head === undefined) return
  if (identity !== undefined && Buffer.compare(identity.storeId, head.storeId) !== 0) {
    findings.add('head', 'the head is of another store than the file identity names', HEAD_KEY)
  }
  try {
    const mark = await readMark(join(directory, 'high-water'))
    if (mark === undefined) return
    if (Buffer.compare(mark.storeId, head.storeId) !== 0) {
      findings.add('high-water', 'the high-water mark is of another store', 'high-water')
    } else if (isAhead(mark, head)) {
      const text = `the store ends at commit ${head.lsn} (epoch ${head.epoch}), and had come to commit ${mark.lsn} (epoch ${mark.epoch})`
      findings.add('behind', text, 'high-water')
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    findings.add('high-water', error.message, 'high-water')
  }
}

function headOf(survey: Survey | undefined): Pick<CheckReport, 'storeId' | 'epoch' | 'lsn'> {
  const head = survey?.head
  if (head === undefined) return {}
  const { storeId, epoch, lsn } = head
  return { storeId: Buffer.from(storeId).toString('hex'), epoch, lsn }
}
