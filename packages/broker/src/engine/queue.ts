// One queue: its settings, its lanes, and how many of its tasks are in which state.

import {
  DEFAULT_RETRY,
  limits,
  slotOfQueue,
  TASK_STATES,
  type Labels,
  type QueueSettings,
  type TaskState,
} from '@tq/core'
import type { LaneGroup } from './lane.ts'
import type { Profile } from './profile.ts'

export const DEFAULT_QUEUE_SETTINGS: QueueSettings = {
  order: 'aging',
  agingMsPerLevel: 60_000,
  tasksMax: 10_000_000,
  maxAttempts: 5,
  maxLost: 3,
  retry: DEFAULT_RETRY,
  retentionMs: 24 * 3_600_000,
  retentionCount: 100_000,
  deadRetentionMs: 30 * 24 * 3_600_000,
  deadRetentionCount: 100_000,
  timeouts: {},
}

/** Counted since the broker started; for people and metrics, never for decisions. */
export interface QueueTotals {
  enqueued: number
  completed: number
  failed: number
  dead: number
  lost: number
}

export class Queue {
  /** Number of the queue on disk; never reused. */
  readonly number: number
  readonly name: string
  readonly slot: number
  settings: QueueSettings
  paused = false
  pauseReason: string | undefined
  /** Lanes by requirements; the key is canonical text, '' for tasks that any worker may take. */
  readonly groups = new Map<string, LaneGroup>()
  /** Grows whenever a group comes or goes: what sessions remember about groups is then stale. */
  groupsVersion = 0
  /** Groups at which the empty ones are dropped; grows with those in use, so that looking is rare. */
  groupsRoom: number = limits.REQUIREMENT_SETS_PER_QUEUE_MAX
  /** Profiles of tasks with nothing but a type, by type: the common case, found without building a key. */
  readonly plainProfiles = new Map<string, Profile>()
  readonly totals: QueueTotals = { enqueued: 0, completed: 0, failed: 0, dead: 0, lost: 0 }
  /** Tasks in memory by state code; terminal ones until the commit that removed them is durable. */
  readonly #counts = new Float64Array(16)

  constructor(number: number, name: string, settings: QueueSettings) {
    this.number = number
    this.name = name
    this.slot = slotOfQueue(name)
    this.settings = settings
  }

  countOf(state: TaskState): number {
    return this.#counts[TASK_STATES[state].code] as number
  }

  addToCount(state: TaskState, change: number): void {
    const code = TASK_STATES[state].code
    this.#counts[code] = (this.#counts[code] as number) + change
  }

  /** Tasks that are not terminal. */
  get liveCount(): number {
    return (
      this.countOf('scheduled') +
      this.countOf('queued') +
      this.countOf('assigned') +
      this.countOf('running') +
      this.countOf('retrying')
    )
  }
}

/** Canonical text of requirements, the same whatever the order of the labels. */
export function requirementsKey(requires: Labels | undefined): string {
  if (requires === undefined) return ''
  const entries = Object.entries(requires).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return entries.length === 0 ? '' : JSON.stringify(entries)
}
