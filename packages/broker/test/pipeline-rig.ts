// A partition with its pipeline, ticker and housekeeping over a store that a test holds back; no sockets.

import { decodeServerMessage, type Request, type ServerMessage, type TqError } from '@tq/core'
import { checkInvariants } from '../src/engine/invariants.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../src/engine/queue.ts'
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../src/engine/state.ts'
import type { CommitReport } from '../src/pipeline/commit-loop.ts'
import type { Conversation, Sink } from '../src/pipeline/conversation.ts'
import { Housekeeping, type HousekeepingOptions } from '../src/pipeline/housekeeping.ts'
import { Partition, PAYLOAD_CACHE_BYTES_MIN } from '../src/pipeline/partition.ts'
import { Pipeline } from '../src/pipeline/pipeline.ts'
import { Ticker } from '../src/pipeline/ticker.ts'
import type { JournalLimits } from '../src/storage/journal-keeper.ts'
import { MemoryImage } from '../src/storage/memory-image.ts'
import { GatedStore } from './gated-store.ts'
import { ManualScheduler } from './manual-scheduler.ts'
import { aSession } from './task-builder.ts'

const WALL_START_MS = 1_800_000_000_000

export interface RigOptions {
  readonly engine?: Partial<EngineOptions>
  readonly queues?: Partial<typeof DEFAULT_QUEUE_SETTINGS>
  readonly journal?: Partial<JournalLimits>
  readonly housekeeping?: Partial<HousekeepingOptions>
}

export class PipelineRig {
  readonly image: MemoryImage
  readonly store: GatedStore
  readonly scheduler = new ManualScheduler()
  readonly reports: CommitReport[] = []
  readonly failures: string[] = []
  readonly damages: string[] = []
  readonly stalls: number[] = []
  readonly answered: string[] = []
  freeBytes = Infinity
  /** Moves the wall clock alone. */
  wallOffsetMs = 0
  #stillMs = 0
  #partition: Partition | undefined
  #pipeline: Pipeline | undefined
  #housekeeping: Housekeeping | undefined
  #ticker: Ticker | undefined

  /** A broker that has started on this image; its ticker and housekeeping run when a test says so. */
  static async open(
    options: RigOptions = {},
    image: MemoryImage = new MemoryImage(),
  ): Promise<PipelineRig> {
    const rig = new PipelineRig(image)
    await rig.#start(options)
    return rig
  }

  private constructor(image: MemoryImage) {
    this.image = image
    this.store = new GatedStore(image)
  }

  get partition(): Partition {
    return there(this.#partition)
  }

  get pipeline(): Pipeline {
    return there(this.#pipeline)
  }

  get housekeeping(): Housekeeping {
    return there(this.#housekeeping)
  }

  get ticker(): Ticker {
    return there(this.#ticker)
  }

  /** Another start on a copy of the disk; this broker goes on. */
  reopened(options: RigOptions = {}): Promise<PipelineRig> {
    return PipelineRig.open(options, this.image.fork())
  }

  /** Somebody connects, as a session of this name. */
  peer(session: string, principal?: string): Peer {
    return new Peer(this, aSession(session, principal))
  }

  /** Everything that can happen without time passing has happened. */
  async settle(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      this.scheduler.pass(0)
      await new Promise((resolve) => setImmediate(resolve))
    }
    checkInvariants(this.partition.state)
  }

  /** Time passes in small steps, and all that it brings happens. */
  async pass(durationMs: number, stepMs = Math.max(1, durationMs / 20)): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
      this.scheduler.pass(Math.min(stepMs, durationMs - passedMs))
      await this.settle()
    }
  }

  /** Time passes, and nothing runs. */
  standStill(durationMs: number): void {
    this.#stillMs += durationMs
  }

  get nowMs(): number {
    return this.scheduler.nowMs + this.#stillMs
  }

  async #start(options: RigOptions): Promise<void> {
    const { store, scheduler } = this
    const clock = {
      wallMs: () => Math.floor(WALL_START_MS + this.nowMs + this.wallOffsetMs),
      monotonicMs: () => this.nowMs,
    }
    const random = { chance: () => 0.5, fill: (bytes: Uint8Array) => void bytes.fill(7) }
    const partition = await Partition.recover(
      { store, opened: await store.open(), run: async (_, step) => (await step()).value },
      {
        engine: {
          ...DEFAULT_ENGINE_OPTIONS,
          queueDefaults: { ...DEFAULT_QUEUE_SETTINGS, ...options.queues },
          ...options.engine,
        },
        journal: { ageMsMax: 86_400_000, bytesMax: 2 ** 28, ...options.journal },
        payloadCacheBytes: PAYLOAD_CACHE_BYTES_MIN,
      },
      {
        world: { clock, scheduler, random },
        events: {
          onFact: (fact, task) => this.#pipeline?.heard(fact, task),
          onCommitted: (report) => {
            this.reports.push(report)
            this.#housekeeping?.note(report.built.keptChanges)
          },
          onRoom: () => this.#pipeline?.drainBacklog(),
          onFailed: (outcome) => this.failures.push(outcome),
          onDamage: (what) => this.damages.push(what),
        },
      },
    )
    this.#partition = partition
    const admission = {
      commitMsMax: 1_000,
      freeBytes: () => this.freeBytes,
      freeBytesMin: 1_000_000,
    }
    const pipeline = new Pipeline(
      partition,
      { admission, heartbeatMs: 5_000, version: '0.0.0' },
      { onAnswer: (verb, code) => this.answered.push(`${verb} ${code}`) },
    )
    this.#pipeline = pipeline
    const housekeeping = new Housekeeping(partition, {
      keptMax: 1_000_000,
      dedupeMs: 86_400_000,
      ...options.housekeeping,
    })
    this.#housekeeping = housekeeping
    pipeline.reads.countKeptBy((queue) => housekeeping.keptOf(queue))
    this.#ticker = new Ticker({
      partition,
      pipeline,
      housekeeping,
      clock,
      scheduler,
      onStall: (ms) => this.stalls.push(ms),
    })
  }
}

/** The other end of a conversation: asks, and keeps what it is told. */
export class Peer implements Sink {
  readonly #rig: PipelineRig
  readonly conversation: Conversation
  readonly session: Uint8Array
  /** Everything that was said to it, oldest first. */
  readonly heard: ServerMessage[] = []
  isFull = false
  isReading = true
  #nextId = 1

  constructor(rig: PipelineRig, speaker: { readonly id: Uint8Array; readonly principal: string }) {
    this.#rig = rig
    this.session = speaker.id
    this.conversation = rig.pipeline.open(this, {
      principal: speaker.principal,
      session: speaker.id,
    })
  }

  send(frame: Uint8Array): void {
    this.heard.push(decodeServerMessage(Uint8Array.from(frame.subarray(4))))
  }

  setReading(isReading: boolean): void {
    this.isReading = isReading
  }

  /** Hands a request over and gives its id; the answer comes when it comes. */
  ask(request: Request): number {
    const id = this.#nextId
    this.#nextId += 1
    this.#rig.pipeline.receive(this.conversation, id, request)
    return id
  }

  /** The result of a request, which must not be refused, once everything has settled. */
  async reply<R>(request: Request): Promise<R> {
    const id = this.ask(request)
    await this.#rig.settle()
    return this.resultOf<R>(id)
  }

  /** Why a request was refused, once everything has settled. */
  async refusal(request: Request): Promise<TqError> {
    const id = this.ask(request)
    await this.#rig.settle()
    const answer = this.answerTo(id)
    if (answer?.kind !== 'refusal') throw new Error(`${request.verb} was not refused`)
    return answer.error
  }

  answerTo(id: number): Extract<ServerMessage, { kind: 'reply' | 'refusal' }> | undefined {
    return this.heard.find(
      (message): message is Extract<ServerMessage, { kind: 'reply' | 'refusal' }> =>
        message.kind !== 'push' && message.id === id,
    )
  }

  resultOf<R>(id: number): R {
    const answer = this.answerTo(id)
    if (answer === undefined) throw new Error(`request ${id} was not answered`)
    if (answer.kind === 'refusal') throw answer.error
    return answer.result as R
  }

  /** What was pushed to it over a channel. */
  pushes(channel: string): unknown[] {
    return this.heard.flatMap((message) =>
      message.kind === 'push' && message.channel === channel ? [message.data] : [],
    )
  }

  leave(): void {
    this.#rig.pipeline.close(this.conversation)
  }
}

function there<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the rig has not started')
  return part
}
