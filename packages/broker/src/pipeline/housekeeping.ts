// What is kept for a while goes in small steps: ended tasks, dedupe keys, the journal.

import { limits, type QueueSettings } from '@tq/core'
import type { EndedTasks } from '../engine/command.ts'
import { hexOf } from '../engine/held.ts'
import type { Queue } from '../engine/queue.ts'
import type { KeptChange } from '../storage/commit-builder.ts'
import { keptHistoryKeys } from '../storage/history-record.ts'
import {
  doneByEndRange,
  type EndClass,
  familyRange,
  journalKey,
  lsnOfJournalKey,
  parseDedupeByAgeKey,
  parseDoneByEndKey,
  taskKey,
} from '../storage/key.ts'
import type { Entry, KeyRange } from '../storage/port.ts'
import { encodeWall, WALL_KEY } from '../storage/wall-record.ts'
import type { Partition } from './partition.ts'
import { type Clocks, WallHistory } from './wall-history.ts'

export interface HousekeepingOptions {
  /** Terminal tasks that are kept of all queues together. */
  readonly keptMax: number
  /** How long an idempotency key is remembered, in ms of the tick clock. */
  readonly dedupeMs: number
}

/** Records that one step removes, and that one page of counting reads. */
const STEP_ITEMS = limits.STEP_ITEMS_MAX
const COUNT_PAGE = 10_000
const JOURNAL_PAGE = 100

interface Kept {
  done: number
  dead: number
}

/** A queue, and what must go of it: so many of the oldest, and all that is older than `ageMs`. */
interface Overfull {
  readonly queue: Queue
  readonly endClass: EndClass
  readonly excess: number
  readonly ageMs: number
}

export class Housekeeping {
  readonly #partition: Partition
  readonly #options: HousekeepingOptions
  readonly #kept = new Map<number, Kept>()
  /** As they stood before anything was written; set back as far as they were until the steps are read. */
  #startClocks: Clocks
  /** Without it nobody can tell how old is what is kept, and nothing goes for its age. */
  #wall: WallHistory | undefined
  /** Changes that came in while the kept tasks were being counted. */
  #isCounted = false
  #isBusy = false
  #isStopped = false

  constructor(partition: Partition, options: HousekeepingOptions) {
    this.#partition = partition
    this.#options = options
    this.#startClocks = partition.now()
    partition.watchClocks((clocks) => this.#hearClocks(clocks))
  }

  /** How many ended tasks of a queue are kept; null until they have been counted. */
  keptOf(queue: Queue): { readonly kept: number | null; readonly dead: number | null } {
    if (!this.#isCounted) return { kept: null, dead: null }
    const kept = this.#kept.get(queue.number)
    return { kept: kept?.done ?? 0, dead: kept?.dead ?? 0 }
  }

  note(changes: readonly KeptChange[]): void {
    for (const { queueNumber, endClass, change } of changes) {
      const kept = this.#kept.get(queueNumber) ?? { done: 0, dead: 0 }
      kept[endClass] += change
      this.#kept.set(queueNumber, kept)
    }
  }

  /**
   * Counts the kept tasks and looks through the journal once after the start, beside the broker's
   * work. Only what stood on disk at the start is counted here; changes since are noted as they come.
   */
  async begin(): Promise<void> {
    // First of all: a commit that landed before the count began would be counted and noted, twice.
    await this.#countKept()
    await this.#readWall()
    await this.#readJournal()
  }

  async #readWall(): Promise<void> {
    const { lookup, lastClocks } = this.#partition
    this.#wall = new WallHistory(await lookup.wallSteps())
    if (lastClocks !== undefined) this.#noteClocks(lastClocks)
    this.#noteClocks(this.#startClocks)
  }

  async #countKept(): Promise<void> {
    for await (const page of this.#partition.store.load(familyRange('doneByEnd'), COUNT_PAGE)) {
      if (this.#isStopped) return
      for (const [key] of page) {
        const { queueNumber, endClass } = parseDoneByEndKey(key)
        this.note([{ queueNumber, endClass, change: 1 }])
      }
    }
    this.#isCounted = true
  }

  /** Sizes and seals of the records from before the start, page by page. */
  async #readJournal(): Promise<void> {
    const { journal, lookup, store } = this.#partition
    for await (const page of store.load(journal.oldRange, JOURNAL_PAGE)) {
      if (this.#isStopped) return
      for (const [key, value] of page) {
        const tickMs = lookup.journalTickMs(key, value)
        journal.noteOld({ lsn: lsnOfJournalKey(key), bytes: key.length + value.length, tickMs })
      }
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  /** One round of small steps. Never two at once. */
  async step(): Promise<void> {
    if (this.#isBusy || this.#isStopped) return
    this.#isBusy = true
    try {
      this.#trimJournal()
      this.#noteClocks(this.#partition.now())
      await this.#forgetDedupe()
      if (this.#isCounted) await this.#forgetOverfull()
    } finally {
      this.#isBusy = false
    }
  }

  #trimJournal(): void {
    const { builder, journal, commits } = this.#partition
    const trimmed = journal.trim(this.#partition.now().tickMs)
    if (trimmed === undefined) return
    for (let lsn = trimmed.fromLsn; lsn < trimmed.toLsn; lsn += 1) builder.delete(journalKey(lsn))
    commits.kick()
  }

  #noteClocks(clocks: Clocks): void {
    const { builder, commits } = this.#partition
    if (this.#wall?.note(clocks) !== true) return
    builder.put(WALL_KEY, encodeWall(this.#wall.steps))
    commits.kick()
  }

  /** A step back must be known with what is written under it: the clock may be right again soon. */
  #hearClocks(clocks: Clocks): void {
    if (this.#wall !== undefined) return this.#noteClocks(clocks)
    const { tickMs, wallMs } = this.#startClocks
    const backMs = wallMs - tickMs - (clocks.wallMs - clocks.tickMs)
    if (backMs > 0) this.#startClocks = { tickMs, wallMs: wallMs - backMs }
  }

  /** What was written at this moment or before is older than `ageMs`; true for this turn only. */
  #momentBefore(ageMs: number): number {
    const now = this.#partition.now()
    this.#noteClocks(now)
    return this.#wall?.momentBefore(ageMs, now.tickMs) ?? -Infinity
  }

  async #forgetDedupe(): Promise<void> {
    const { builder, store, commits } = this.#partition
    for await (const page of store.load(familyRange('dedupeByAge'), STEP_ITEMS)) {
      if (this.#isStopped) return
      const before = this.#momentBefore(this.#options.dedupeMs)
      for (const [key] of page) {
        const { atMs, dedupe } = parseDedupeByAgeKey(key)
        if (atMs > before) break
        builder.delete(key)
        builder.delete(dedupe)
      }
      if (builder.hasWork) commits.kick()
      return // one page a step
    }
  }

  async #forgetOverfull(): Promise<void> {
    for (const target of this.#overfull()) await this.#forgetEnded(target)
  }

  /** Queues that keep more or longer than they should, with how many of the oldest must go. */
  *#overfull(): Generator<Overfull> {
    const { state } = this.#partition
    let total = 0
    for (const kept of this.#kept.values()) total += kept.done + kept.dead
    let overall = Math.max(0, total - this.#options.keptMax)
    for (const queue of [...state.queuesByName.values()].sort(this.#byKept)) {
      for (const endClass of ['done', 'dead'] as const) {
        const count = this.#kept.get(queue.number)?.[endClass] ?? 0
        if (count === 0) continue
        const rule = ruleOf(queue.settings, endClass)
        const share = Math.min(count, overall)
        overall -= share
        const excess = Math.max(0, count - rule.count, share)
        yield { queue, endClass, excess, ageMs: rule.ms }
      }
    }
  }

  /** The queue that keeps most gives first when all together keep too many. */
  readonly #byKept = (a: Queue, b: Queue): number => this.#keptTotal(b) - this.#keptTotal(a)

  #keptTotal(queue: Queue): number {
    const kept = this.#kept.get(queue.number)
    return kept === undefined ? 0 : kept.done + kept.dead
  }

  async #forgetEnded({ queue, endClass, excess, ageMs }: Overfull): Promise<void> {
    const range = doneByEndRange({ slot: queue.slot, queueNumber: queue.number, endClass })
    let { from } = range
    let left = excess
    while (!this.#isStopped) {
      const wanted = { queue, endClass, excess: left, ageMs, range: { from, to: range.to } }
      const page = await this.#forgetPage(wanted)
      if (page.last === undefined) return
      left -= page.doomed
      from = Uint8Array.of(...page.last, 0)
      // Step by step: the next page waits until the broker's own work has had its commit as well.
      await this.#durable()
    }
  }

  /** Forgets a page of the oldest; tells its last key if all of it had to go and more may follow. */
  async #forgetPage(
    wanted: Overfull & { readonly range: KeyRange },
  ): Promise<{ readonly doomed: number; readonly last: Uint8Array | undefined }> {
    const { queue, endClass, excess } = wanted
    const { fetches, lookup, state, store } = this.#partition
    // Until this has ended, a task that was redriven since its end was read stays in memory, even if
    // it ends once more: that it is there tells that what was read of it is not true any more. It
    // spans one page, read anew: whatever ends meanwhile, of all queues, stays in memory as well.
    const ticket = fetches.begin()
    try {
      const page = await firstPage(store.load(wanted.range, STEP_ITEMS))
      const entries = page.map(([key]) => ({ key, ...parseDoneByEndKey(key) }))
      const beforeMs = this.#momentBefore(wanted.ageMs)
      const doomed = entries.filter(({ endMs }, index) => index < excess || endMs <= beforeMs)
      const ids = doomed.map(({ id }) => id)
      const ended = ids.length === 0 ? NOTHING : await lookup.ended(ids, 'without-results')
      if (this.#isStopped) return { doomed: 0, last: undefined }
      const counted = { queueNumber: queue.number, endClass, change: -1 } as const
      for (const { key, id } of doomed) {
        // A task that was redriven since has taken its records away itself.
        if (state.index.find(id) !== undefined) continue
        // Its going is decided, but not yet durable: it was counted then.
        if (this.#partition.isForgotten(hexOf(id))) continue
        this.#forgetOne(key, id, ended.get(hexOf(id))?.chapters ?? 0)
        this.note([counted])
      }
      const isWhole = doomed.length === page.length
      return { doomed: doomed.length, last: isWhole ? page.at(-1)?.[0] : undefined }
    } finally {
      fetches.end(ticket)
    }
  }

  #durable(): Promise<number> {
    return new Promise((resolve) => this.#partition.commits.whenDurable(resolve))
  }

  #forgetOne(byEndKey: Uint8Array, id: Uint8Array, chapters: number): void {
    const { builder } = this.#partition
    builder.delete(byEndKey)
    builder.delete(taskKey('done', id))
    builder.delete(taskKey('payload', id))
    for (const key of keptHistoryKeys(id, chapters)) builder.delete(key)
    this.#partition.noteForgotten(id)
  }
}

const NOTHING: EndedTasks = new Map()

async function firstPage(pages: AsyncIterable<readonly Entry[]>): Promise<readonly Entry[]> {
  for await (const page of pages) return page
  return []
}

function ruleOf(
  settings: QueueSettings,
  endClass: EndClass,
): { readonly ms: number; readonly count: number } {
  return endClass === 'dead'
    ? { ms: settings.deadRetentionMs, count: settings.deadRetentionCount }
    : { ms: settings.retentionMs, count: settings.retentionCount }
}
