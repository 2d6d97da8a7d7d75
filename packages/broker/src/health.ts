// How well the broker does, in figures for a doctor: the latest commits, the event loop, its limits.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { BrokerHealth, Scheduler, Timer } from '@tq/core'
import type { BrokerConfig } from './config/config.ts'

/** Commits that the percentiles are of. */
const COMMITS_MAX = 1_000
/** How often the loop's delay is sampled, in ms: cheap, and fine enough for what people notice. */
const SAMPLE_MS = 20
const NS_PER_MS = 1_000_000
const MONITOR = { resolution: SAMPLE_MS }
/**
 * The loop is told of as it was for one to two of these, in ms: a shorter time says something else
 * each time that somebody asks.
 */
export const LOOP_WINDOW_MS = 60_000

export interface HealthParts {
  readonly config: Pick<BrokerConfig, 'limits' | 'journal'>
  readonly notReady: () => readonly string[]
  readonly freeBytes: () => number
  readonly journalBytes: () => number
  readonly sessions: () => number
}

export class Health {
  readonly #commitMs = new Float64Array(COMMITS_MAX)
  readonly #scheduler: Scheduler
  /** The first has measured for one window longer than the second. */
  #loops = [monitorEventLoopDelay(MONITOR), monitorEventLoopDelay(MONITOR)] as const
  #timer: Timer | undefined
  #commitCount = 0
  #damagedRecords = 0
  #stalls = 0
  #parts: HealthParts | undefined

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
    for (const loop of this.#loops) loop.enable()
  }

  /** Says where to read what is not counted here: the broker has recovered. */
  readFrom(parts: HealthParts): void {
    this.#parts = parts
    this.#turnLater()
  }

  committed(ms: number): void {
    this.#commitMs[this.#commitCount % COMMITS_MAX] = ms
    this.#commitCount += 1
  }

  damaged(): void {
    this.#damagedRecords += 1
  }

  stalled(): void {
    this.#stalls += 1
  }

  stop(): void {
    this.#timer?.cancel()
    for (const loop of this.#loops) loop.disable()
  }

  /** Undefined before all parts are there. */
  describe(): BrokerHealth | undefined {
    if (this.#parts === undefined) return undefined
    const { config, notReady, freeBytes, journalBytes, sessions } = this.#parts
    const { limits, journal } = config
    const loopDelayMsP99 = Math.max(0, this.#loops[0].percentile(99) / NS_PER_MS - SAMPLE_MS)
    const bytes = freeBytes()
    return {
      notReady: notReady(),
      ...this.#commits(),
      commitMsLimit: limits.commitMsMax,
      ...(Number.isFinite(bytes) ? { freeBytes: bytes } : {}),
      freeBytesMin: limits.freeBytesMin,
      journalBytes: journalBytes(),
      journalBytesMax: journal.bytesMax,
      loopDelayMsP99: rounded(loopDelayMsP99),
      tasksMax: limits.tasksMax,
      connectionsMax: limits.connectionsMax,
      sessions: sessions(),
      damagedRecords: this.#damagedRecords,
      stalls: this.#stalls,
    }
  }

  #turnLater(): void {
    this.#timer = this.#scheduler.after(LOOP_WINDOW_MS, () => {
      const [elder, younger] = this.#loops
      elder.reset()
      this.#loops = [younger, elder]
      this.#turnLater()
    })
  }

  #commits(): Pick<BrokerHealth, 'commitMsP50' | 'commitMsP99'> {
    const count = Math.min(this.#commitCount, COMMITS_MAX)
    if (count === 0) return {}
    const sorted = this.#commitMs.slice(0, count).sort()
    const at = (share: number): number =>
      sorted[Math.min(count - 1, Math.floor(count * share))] ?? 0
    return { commitMsP50: rounded(at(0.5)), commitMsP99: rounded(at(0.99)) }
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
