// A disk that gets full, by tasks and by somebody else, and empty again; what was acknowledged must be
// there all the time, and the broker must need nobody.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TqError } from '@tq/core'
import { eventually } from '../end-to-end/eventually.ts'
import { aTask } from '../end-to-end/task-spec.ts'
import { type Held, heldOf, type WireClient } from '../end-to-end/wire-client.ts'
import { Ledger } from '../ledger/ledger.ts'
import { violationsOf } from '../ledger/ledger-report.ts'
import { type DiskOptions, MountedDisk } from '../mounted-disk.ts'
import { RigBroker } from '../rig-broker.ts'
import { ForeignFile } from './foreign-file.ts'

export interface FullDiskOptions {
  readonly disk: DiskOptions
  readonly seed: number
}

const MIB = 2 ** 20
/**
 * Below this much new work is refused. A compaction writes its tables anew before the old ones go: up
 * to a dozen of the size of the write buffer and a commit of heavy tasks, where the machine is so busy
 * that so many wait for it, and the 10 MiB and more of the level below.
 */
const FLOOR_MIB = 40
const FLAGS = [`--limits-free-bytes-min=${FLOOR_MIB}MiB`, '--storage-write-buffer-bytes=1MiB']
/** The floor, and room for what fills the rest. */
export const DISK_MIB_MIN = 96
const LOAD_OPERATIONS = 200
/** Four of them are in a commit: far less than a write buffer. */
const HEAVY_BYTES = 80_000
/** The broker looks at its disk every two seconds. */
const NOTICED_MS = 10_000
/** It notices, and sorts a disk of this size anew. */
const RECLAIMED_MS = 30_000
/** A compaction that goes on writes a table, or gives one back, within so many looks. */
const QUIET_LOOKS = 12
const LOOK_MS = 250
/** A broker at rest still writes a little. */
const NOISE_BYTES = 64 * 1024
/** From the first commit that fails to the end of the process. */
const ENDED_MS_MAX = 1_500
/** Clients of the broker are busy with other things as well. */
const SLACK_MS = 1_500
/** Of the broker's log, beside what went wrong. */
const OUTPUT_MAX = 4_000

/**
 * Fills one disk by tasks, and another one, from the first byte on, by somebody else.
 * @returns What was not as it should be.
 */
export async function fillDisk(options: FullDiskOptions): Promise<string[]> {
  const found = await Promise.all([
    onOneDisk(options, (story) => story.fillByTasks()),
    onOneDisk(options, async (story) => {
      await story.fillByForeignFile()
      await story.fillToTheLastByte()
    }),
  ])
  const { kind } = options.disk
  return found.flat().map((text) => `${kind}, seed ${options.seed}: ${text}`)
}

/** Fills a disk by tasks, and purges them. @returns What was not as it should be. */
export async function purgeFullDisk(options: FullDiskOptions): Promise<string[]> {
  const found = await onOneDisk(options, (story) => story.fillAndPurge())
  return found.map((text) => `${options.disk.kind}, seed ${options.seed}, purge: ${text}`)
}

async function onOneDisk(
  options: FullDiskOptions,
  play: (story: FullDisk) => Promise<void>,
): Promise<readonly string[]> {
  const disk = await MountedDisk.create(options.disk)
  const story = new FullDisk(disk, options.seed)
  try {
    await play(story)
  } catch (error) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
    story.law(false, `${told}\n${story.brokerSaid}`)
  } finally {
    await story.end()
    await disk.remove()
  }
  return story.violations
}

class FullDisk {
  readonly violations: string[] = []
  readonly #seed: number
  readonly #broker: RigBroker
  readonly #foreign: ForeignFile
  readonly #ledger = new Ledger()
  #wire: WireClient | undefined
  #phase = 0
  #claimCount = 0

  constructor(disk: MountedDisk, seed: number) {
    this.#seed = seed
    this.#broker = new RigBroker(join(disk.directory, 'data'), FLAGS)
    this.#foreign = new ForeignFile(disk.directory)
  }

  law(holds: boolean, told: string): void {
    if (!holds) this.violations.push(told)
  }

  /** The last lines of its log. */
  get brokerSaid(): string {
    return this.#broker.process.output.slice(-OUTPUT_MAX)
  }

  async end(): Promise<void> {
    this.#wire?.destroy()
    await this.#broker.kill()
  }

  /** New tasks are refused at the floor, others may end: that gives the space back. */
  async fillByTasks(): Promise<void> {
    const wire = await this.#start()
    await this.#load()
    const held = await this.#held(wire)
    const refused = await this.#enqueueUntilRefused(wire)
    this.law(
      refused.code === 'NO_SPACE',
      `tasks that fill the disk were refused with ${refused.code}`,
    )
    this.law(this.#foreign.freeBytes > 0, 'NO_SPACE came when no space was left at all')
    await this.#seeWorkGoesOn(wire, held)
    await this.#killAndVerify()
  }

  /** What is deleted gives its space back, though next to nothing is written any more. */
  async fillAndPurge(): Promise<void> {
    const wire = await this.#start()
    const refused = await this.#enqueueUntilRefused(wire)
    this.law(refused.code === 'NO_SPACE', `a disk full of tasks: ${refused.code}`)
    await this.#stayBelowFloor()
    this.law((await purge(wire, 'heavy')) > 0, 'nothing was purged')
    await eventually(() => wire.enqueue('probe'), { deadlineMs: RECLAIMED_MS })
    const { freeBytes } = this.#foreign
    this.law(freeBytes > FLOOR_MIB * MIB, `after the purge only ${freeBytes} bytes are free`)
    await this.#load()
    await this.#killAndVerify()
  }

  /**
   * Somebody else takes what LevelDB leaves, but only while it rests: a compaction that is under way
   * has begun with room, and one that finds none ends the broker.
   */
  async #stayBelowFloor(): Promise<void> {
    const leftBytes = (FLOOR_MIB - 8) * MIB
    await this.#untilCompacted()
    while (this.#foreign.freeBytes > leftBytes + NOISE_BYTES) {
      this.#foreign.leaveFree(leftBytes)
      await this.#untilCompacted()
    }
  }

  async #untilCompacted(): Promise<void> {
    let seenBytes = this.#foreign.freeBytes
    for (let quiet = 0; quiet < QUIET_LOOKS; quiet += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      const { freeBytes } = this.#foreign
      if (Math.abs(freeBytes - seenBytes) > NOISE_BYTES) quiet = 0
      seenBytes = freeBytes
    }
  }

  /** Somebody else takes the space; it comes back, and nobody has to tell the broker. */
  async fillByForeignFile(): Promise<void> {
    const wire = await this.#start()
    await this.#load()
    const held = await this.#held(wire)
    this.#foreign.leaveFree((FLOOR_MIB - 4) * MIB)
    const refused = await eventually(() => refusalToEnqueue(wire), { deadlineMs: NOTICED_MS })
    this.law(refused.code === 'NO_SPACE', `a disk below the floor: ${refused.code}`)
    await this.#seeWorkGoesOn(wire, held)
    this.#foreign.remove()
    await eventually(() => wire.enqueue('probe'), { deadlineMs: NOTICED_MS })
    await this.#load()
    await this.#killAndVerify()
  }

  /** The floor is of no help: a write fails, and the broker ends at once, with nothing lost. */
  async fillToTheLastByte(): Promise<void> {
    const wire = await this.#connect()
    const ended = this.#broker.process.exited.then(() => Date.now())
    const driven = this.#ledger.drive(this.#broker.address, { seed: this.#nextSeed() })
    await new Promise((resolve) => setTimeout(resolve, 100))
    this.#foreign.leaveFree(0)
    try {
      await eventually(() => this.#mustHaveEnded(), { deadlineMs: ENDED_MS_MAX + NOTICED_MS })
    } finally {
      await this.#broker.kill()
    }
    const { code } = await this.#broker.process.exited
    await driven
    this.law(wire.isClosed || !this.#broker.isRunning, 'a broker that ended kept a connection')
    this.law(code === 1, `a broker that cannot write ended with code ${code}`)
    // By its own log, for the last acknowledgement may be long before the first write that fails.
    const { time } = await this.#broker.process.event('failed')
    const failedAtMs = Date.parse(String(time))
    const lingeredMs = (await ended) - failedAtMs
    this.law(
      lingeredMs < ENDED_MS_MAX + SLACK_MS,
      `the broker lived for ${lingeredMs} ms after a commit had failed`,
    )
    this.law(
      this.#ledger.lastAckAtMs < failedAtMs + SLACK_MS,
      'the broker acknowledged something after a commit had failed',
    )
    await this.#seeStartRefused()
    this.#foreign.remove()
    await this.#start()
    await this.#verify()
    await this.#load()
    await this.#killAndVerify()
  }

  #mustHaveEnded(): void {
    if (this.#broker.isRunning) throw new Error('the broker goes on though it cannot write')
  }

  /** With no space at all a start says so, and changes nothing. */
  async #seeStartRefused(): Promise<void> {
    const said = await this.#broker.start().then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (said === undefined) {
      // It may start where LevelDB needs no more than what was free in its own files.
      await this.#broker.kill()
      return
    }
    const { code } = await this.#broker.process.exited
    // 1, not 3: a supervisor goes on trying, and the broker is back when the space is.
    this.law(code === 1, `a start without space ended with code ${code}: ${said}`)
    this.law(said.includes('Make room'), `a start without space does not say so: ${said}`)
  }

  async #seeWorkGoesOn(wire: WireClient, held: readonly Held[]): Promise<void> {
    const [one, two, three] = held
    if (one === undefined || two === undefined || three === undefined) return
    const completed = await wire.complete(one)
    this.law(completed.ok === 1, 'a task could not be completed at the floor')
    const failure = { ...two, error: { message: 'no' }, retryable: false }
    const failed = await wire.ask<'fail'>({ verb: 'fail', tasks: [failure] })
    this.law(failed.ok === 1, 'a task could not fail at the floor')
    const cancelled = await wire.ask<'cancel'>({ verb: 'cancel', ids: [three.id] })
    this.law(cancelled.ok === 1, 'a task could not be cancelled at the floor')
    const released = await wire.release(three)
    this.law(released.ok === 1, 'a cancelled task could not be given back at the floor')
  }

  /** What does not compress takes space for good. */
  async #enqueueUntilRefused(wire: WireClient): Promise<TqError> {
    for (;;) {
      try {
        const payload = randomBytes(HEAVY_BYTES)
        await Promise.all(
          [1, 2, 3, 4].map(() => wire.enqueue('heavy', [aTask('heavy', { payload })])),
        )
      } catch (error) {
        if (wire.isClosed)
          throw new Error('the broker ended before it refused anything', { cause: error })
        return error as TqError
      }
    }
  }

  /** Tasks that somebody holds, as soon as there is room for them. */
  async #held(wire: WireClient): Promise<readonly Held[]> {
    await eventually(() => wire.enqueue('held', 3), { deadlineMs: NOTICED_MS })
    this.#claimCount += 1
    const ask = { max: 3, leaseMs: 600_000, claim: this.#claimCount }
    return (await wire.claim('held', ask)).tasks.map(heldOf)
  }

  async #load(): Promise<void> {
    const seed = this.#nextSeed()
    await this.#ledger.drive(this.#broker.address, { seed, operations: LOAD_OPERATIONS })
  }

  async #killAndVerify(): Promise<void> {
    await this.#broker.kill()
    await this.#start()
    await this.#verify()
  }

  async #verify(): Promise<void> {
    this.violations.push(...violationsOf(await this.#ledger.verify(this.#broker.address)))
  }

  async #start(): Promise<WireClient> {
    await this.#broker.start()
    return this.#connect()
  }

  async #connect(): Promise<WireClient> {
    this.#wire?.destroy()
    this.#wire = await this.#broker.connect()
    return this.#wire
  }

  #nextSeed(): number {
    this.#phase += 1
    return this.#seed * 1_000 + this.#phase
  }
}

/** How many tasks went. */
async function purge(wire: WireClient, queue: string, from?: string): Promise<number> {
  const at = from === undefined ? {} : { cursor: from }
  const { purged, cursor } = await wire.ask<'queue-purge'>({ verb: 'queue-purge', queue, ...at })
  return cursor === null ? purged : purged + (await purge(wire, queue, cursor))
}

/** The refusal of an enqueue; fails if it is taken. */
async function refusalToEnqueue(wire: WireClient): Promise<TqError> {
  const refusal = await wire.enqueue('probe').then(
    () => undefined,
    (error: TqError) => error,
  )
  if (refusal === undefined) throw new Error('the task was taken')
  return refusal
}
