// One crash point among the small files beside LevelDB: lock, identity, high-water mark, marker.

import { systemRandom, systemScheduler } from '@tq/core'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StartupLog } from '../../src/startup-log.ts'
import { DirectoryLock } from '../../src/storage/directory-lock.ts'
import { HighWater } from '../../src/storage/high-water.ts'
import { newIdentity, readIdentity, writeIdentity } from '../../src/storage/identity.ts'
import { StartMarker } from '../../src/storage/start-marker.ts'
import { DiskModel, type Survival, survivalsOf, tornAt } from './disk-model.ts'
import { type DiskOperation, recordDisk } from './recorded-disk.ts'

export interface FilePoint {
  /** Operations that were begun. */
  readonly begun: number
  readonly survival: Survival
}

export interface FileScenario {
  readonly operations: readonly DiskOperation[]
  /** How far the store had surely come, by how many operations were carried out. */
  readonly notes: ReadonlyMap<string, number>
  readonly points: readonly FilePoint[]
}

const STEPS = ['open', 'verify-store', 'load-tasks', 'listen']
const IDENTITY = newIdentity(systemRandom)
const LIVES = 2
const MARKS = 5

/** Two lives of a broker as far as its own files see them; the second takes the lock over. */
export async function recordFiles(): Promise<FileScenario> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-files-'))
  try {
    const { operations, notes } = await recordDisk(directory, async (note) => {
      for (let life = 1; life <= LIVES; life += 1) await live(directory, life, note)
    })
    const points = operations.flatMap((_, index) =>
      survivalsOf(operations.slice(0, index + 1)).map((survival) => ({
        begun: index + 1,
        survival,
      })),
    )
    return { operations, notes, points }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function live(directory: string, life: number, note: (name: string) => void): Promise<void> {
  const lock = new DirectoryLock(directory, systemRandom)
  await lock.acquire()
  const marker = new StartMarker(directory)
  const enter = async (step: string): Promise<void> => {
    await marker.enter(step)
    note(`marker ${life} ${step}`)
  }
  await enter(STEPS[0] as string)
  const isNew = (await readIdentity(directory)) === undefined
  if (isNew) {
    await writeIdentity(directory, IDENTITY)
    note('creating')
  }
  const highWater = new HighWater(join(directory, 'high-water'), {
    scheduler: systemScheduler,
    onFailure: (error) => {
      throw error
    },
  })
  await highWater.open()
  for (const step of STEPS.slice(1)) await enter(step)
  for (let lsn = 1; lsn <= MARKS; lsn += 1) {
    await highWater.set({ storeId: IDENTITY.storeId, epoch: life, lsn: life * MARKS + lsn })
    note(`mark ${life * MARKS + lsn}`)
    if (isNew && lsn === 1) {
      await writeIdentity(directory, { ...IDENTITY, state: 'ready' })
      note('ready')
    }
  }
  await marker.clear()
  note(`cleared ${life}`)
  await new StartupLog(directory).keep(aReport(life), [])
  await highWater.close()
  // The last life is cut off, whatever survives of it.
  if (life < LIVES) await lock.release()
}

/** What is wrong with the next start; empty if all is well. */
export async function crashAmongFiles(scenario: FileScenario, point: FilePoint): Promise<string[]> {
  const { begun, survival } = point
  const directory = await mkdtemp(join(tmpdir(), 'tq-files-'))
  try {
    const operations = tornAt(scenario.operations.slice(0, begun), survival)
    await new DiskModel(operations).materialise(directory, survival)
    await forgetHolder(directory)
    // The last operation may not have come to its end.
    return await startFaults(directory, (name) => (scenario.notes.get(name) ?? Infinity) < begun)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The process that held the lock is gone; in truth it is this one. */
async function forgetHolder(directory: string): Promise<void> {
  const locks = join(directory, 'lock')
  for (const name of await readdir(locks).catch(() => [])) {
    const text = await readFile(join(locks, name), 'utf8')
    await writeFile(join(locks, name), text.replace(`"pid":${process.pid}`, '"pid":4194305'))
  }
}

/** @param isSure Whether what this name stands for had been carried out before the crash. */
async function startFaults(
  directory: string,
  isSure: (name: string) => boolean,
): Promise<string[]> {
  const faults: string[] = []
  const lock = new DirectoryLock(directory, systemRandom)
  await attempt('the lock', () => lock.acquire(), faults)
  const marker = new StartMarker(directory)
  const step = await attempt('the marker', () => marker.readAborted(), faults)
  if (step !== undefined && !STEPS.includes(step)) faults.push(`the marker says "${step}"`)
  if (isSure(`marker ${LIVES} open`) && !isSure(`marker ${LIVES} listen`) && step === undefined) {
    faults.push('the marker of a start that was cut off is missing')
  }
  const identity = await attempt('the identity', () => readIdentity(directory), faults)
  if (isSure('ready') && identity?.state !== 'ready') faults.push('the identity is not ready')
  if (isSure('creating') && identity === undefined) faults.push('the identity is missing')
  await highWaterFaults(directory, isSure, faults)
  await attempt('the marker', () => marker.enter('open'), faults)
  await attempt('the marker', () => marker.clear(), faults)
  await attempt('the reports', () => new StartupLog(directory).read(), faults)
  await attempt('the lock', () => lock.release(), faults)
  return faults
}

async function highWaterFaults(
  directory: string,
  isSure: (name: string) => boolean,
  faults: string[],
): Promise<void> {
  const highWater = new HighWater(join(directory, 'high-water'), {
    scheduler: systemScheduler,
    onFailure: (error) => faults.push(String(error)),
  })
  const mark = await attempt('the mark', () => highWater.open(), faults)
  let sure = 0
  for (let lsn = 1; lsn <= (LIVES + 1) * MARKS; lsn += 1) if (isSure(`mark ${lsn}`)) sure = lsn
  if ((mark?.lsn ?? 0) < sure) faults.push(`the mark is of ${mark?.lsn}, not of ${sure} or later`)
  await attempt('the mark', () => highWater.close(), faults)
}

async function attempt<T>(
  what: string,
  act: () => Promise<T>,
  faults: string[],
): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    faults.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function aReport(life: number): Parameters<StartupLog['keep']>[0] {
  return { startedAtMs: life, totalMs: 1, epoch: life, lsn: life, steps: [], warnings: [] }
}
