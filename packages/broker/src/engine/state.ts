// The state of a partition: tasks, leases, queues, sessions. Read by everybody, written by apply().

import { invariant, type TaskIdBytes } from '@tq/core'
import type { EndRecord } from './fact.ts'
import { Heap, type HeapOptions } from './heap.ts'
import { DEADLINE_PLACE_WORD, END_PLACE_WORD, LeaseTable, TOKEN_DOUBLE } from './lease-table.ts'
import { ProfileTable } from './profile-table.ts'
import type { Profile } from './profile.ts'
import { type Queue, DEFAULT_QUEUE_SETTINGS } from './queue.ts'
import type { QueueSettings } from '@tq/core'
import { type Row } from './rows.ts'
import type { Session } from './session.ts'
import { TaskIndex } from './task-index.ts'
import {
  EXPIRY_PLACE_WORD,
  FLAG_DIRTY,
  PLACE_WORD,
  SEQUENCE_DOUBLE,
  TaskTable,
} from './task-table.ts'

export interface EngineOptions {
  /** Secret of the index, so that nobody can choose colliding ids. */
  readonly indexSeed: number
  /** Most live tasks of all queues together. */
  readonly tasksMax: number
  /** False: a queue must have been set up before a task may name it. */
  readonly autoCreateQueues: boolean
  /** Settings of queues that are created by first use. */
  readonly queueDefaults: QueueSettings
  /** A registered worker that is silent for this long has died, in ms. */
  readonly workerDeadMs: number
  /** A session without leases that is silent for this long is forgotten, in ms. */
  readonly sessionIdleMs: number
  /** Most sessions. */
  readonly sessionsMax: number
}

export const DEFAULT_ENGINE_OPTIONS: EngineOptions = {
  indexSeed: 0,
  tasksMax: 20_000_000,
  autoCreateQueues: true,
  queueDefaults: DEFAULT_QUEUE_SETTINGS,
  workerDeadMs: 15_000,
  sessionIdleMs: 600_000,
  sessionsMax: 100_000,
}

const INITIAL_TASKS = 1024
const INITIAL_LEASES = 256

/** An idempotency key whose commit is not durable yet. */
export interface PendingKey {
  readonly id: TaskIdBytes
  readonly hash: Uint8Array
}

export class EngineState {
  readonly options: EngineOptions
  readonly tasks = new TaskTable(INITIAL_TASKS)
  readonly index: TaskIndex
  readonly leases = new LeaseTable(INITIAL_LEASES)
  readonly profiles = new ProfileTable()
  readonly queuesByName = new Map<string, Queue>()
  readonly queuesByNumber = new Map<number, Queue>()
  readonly sessionsByKey = new Map<string, Session>()
  readonly sessions: (Session | undefined)[] = []
  /** Indexes in `sessions` that are free. */
  readonly freeSessions: number[] = []
  /** Sessions that are workers, and those that are not; who has been silent longest comes first. */
  readonly workersBySilence = new Set<Session>()
  readonly guestsBySilence = new Set<Session>()
  /** Guests that hold nothing; who was heard, or held something, longest ago comes first. */
  readonly idleGuests = new Set<Session>()

  /** Scheduled tasks by the wall ms at which they are due. */
  readonly scheduled: Heap
  /** Retrying tasks by the tick ms at which they are due. */
  readonly retrying: Heap
  /** Waiting tasks with a time to live, by the wall ms of its end. */
  readonly expiry: Heap
  /** Leases by the tick ms of their end. */
  readonly leaseEnds: Heap
  /** Leases of running tasks by the tick ms of their execution deadline. */
  readonly deadlines: Heap
  /** How a lane's heap is made. */
  readonly laneHeap: HeapOptions

  /** How tasks ended whose end is not durable yet; their rows stay until then. */
  readonly ends = new Map<Row, EndRecord>()
  /** What a person said who asked to cancel a held task. */
  readonly cancelNotes = new Map<Row, string>()
  /** Notes that came with progress, by lease. */
  readonly progressNotes = new Map<Row, string>()
  /** Idempotency keys on their way to disk, by queue number and key. */
  readonly pendingKeys = new Map<string, PendingKey>()

  /** Number of the next enqueue. */
  nextSequence = 1
  /** Fencing token that was granted last. */
  lastToken = 0
  nextQueueNumber = 1
  /** The greatest tick that was seen: it must never go back. */
  tickMs = 0
  /** Queues that got ready tasks since somebody looked: parked claims may go on. */
  readonly woken = new Set<Queue>()

  #dirty: Row[] = []

  constructor(options: EngineOptions) {
    this.options = options
    this.index = new TaskIndex(this.tasks, { seed: options.indexSeed, capacity: 1024 })
    const ofTasks = { rows: this.tasks.rows, tieDouble: SEQUENCE_DOUBLE }
    const ofLeases = { rows: this.leases.rows, tieDouble: TOKEN_DOUBLE }
    this.laneHeap = { ...ofTasks, placeWord: PLACE_WORD }
    this.scheduled = new Heap(this.laneHeap)
    this.retrying = new Heap(this.laneHeap)
    this.expiry = new Heap({ ...ofTasks, placeWord: EXPIRY_PLACE_WORD })
    this.leaseEnds = new Heap({ ...ofLeases, placeWord: END_PLACE_WORD })
    this.deadlines = new Heap({ ...ofLeases, placeWord: DEADLINE_PLACE_WORD })
  }

  profileOf(task: Row): Profile {
    return this.profiles.at(this.tasks.profile(task))
  }

  queueOf(task: Row): Queue {
    return this.profileOf(task).queue
  }

  sessionAt(index: number): Session {
    const session = this.sessions[index]
    invariant(session !== undefined, 'a lease names a known session')
    return session
  }

  /** Tasks that are not terminal. */
  get liveCount(): number {
    return this.tasks.count - this.ends.size
  }

  /** Notes that the row differs from the last commit. */
  touch(task: Row): void {
    if (this.tasks.hasFlag(task, FLAG_DIRTY)) return
    this.tasks.setFlag(task, FLAG_DIRTY)
    this.#dirty.push(task)
  }

  /** The rows touched since the last call, for the commit that is being built. */
  takeDirty(): Row[] {
    const taken = this.#dirty
    this.#dirty = []
    for (const task of taken) this.tasks.clearFlag(task, FLAG_DIRTY)
    return taken
  }

  get dirtyCount(): number {
    return this.#dirty.length
  }
}

export function pendingKeyOf(queueNumber: number, idempotencyKey: string): string {
  return `${queueNumber} ${idempotencyKey}`
}
