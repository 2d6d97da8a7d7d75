// What the guard measures: pipeline, engine and LevelDB store in one process, without sockets. Each
// task is enqueued, claimed and completed, by frames as they come over the wire.

import {
  decodeRequest,
  decodeServerMessage,
  encodeRequestFrame,
  type HeldTask,
  type ReplyOf,
  type Request,
  systemClock,
  systemRandom,
  systemScheduler,
  TaskIdMaker,
  slotOfQueue,
} from '@tq/core'
import { DEFAULT_QUEUE_SETTINGS } from '../../src/engine/queue.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../../src/engine/state.ts'
import type { Conversation, Sink } from '../../src/pipeline/conversation.ts'
import { Partition, PAYLOAD_CACHE_BYTES_MIN } from '../../src/pipeline/partition.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { LevelStore } from '../../src/storage/level-store.ts'
import type { Plant } from './plant.ts'

const QUEUE = 'guarded'
const PAYLOAD = Uint8Array.from({ length: 200 }, (_, at) => (at * 167) ^ (at >> 3))
/** Tasks that go through together, so that commits have the same sizes in every run. */
const WAVE_TASKS = 500
const ENQUEUE_TASKS = 100
const CLAIM_TASKS = 50
const FRAME_HEADER = 4

type Answer = Extract<ReturnType<typeof decodeServerMessage>, { kind: 'reply' | 'refusal' }>

export class GuardedBroker implements Sink {
  readonly isFull = false
  readonly #store: LevelStore
  readonly #pipeline: Pipeline
  readonly #conversation: Conversation
  readonly #ids = new TaskIdMaker({
    wallMs: () => systemClock.wallMs(),
    fillRandom: (bytes) => systemRandom.fill(bytes),
  })
  readonly #answers = new Map<number, (answer: Answer) => void>()
  #requests = 0
  #claims = 0

  static async open(directory: string, plant: Plant): Promise<GuardedBroker> {
    const store = new LevelStore({
      directory,
      onFailure: (error) => {
        throw error
      },
    })
    let pipeline: Pipeline | undefined
    const partition = await Partition.recover(
      { store, opened: await store.open(), run: async (_, step) => (await step()).value },
      {
        engine: {
          ...DEFAULT_ENGINE_OPTIONS,
          queueDefaults: { ...DEFAULT_QUEUE_SETTINGS, retentionCount: 0 },
        },
        journal: { ageMsMax: 86_400_000, bytesMax: 2 ** 28 },
        payloadCacheBytes: PAYLOAD_CACHE_BYTES_MIN,
      },
      {
        world: { clock: systemClock, scheduler: systemScheduler, random: systemRandom },
        events: {
          onFact: (fact, task) => pipeline?.heard(fact, task),
          onCommitted: () => undefined,
          onRoom: () => pipeline?.drainBacklog(),
          onFailed: (outcome) => {
            throw new Error(`the commit is ${outcome}`)
          },
          onDamage: (what) => {
            throw new Error(`a damaged ${what}`)
          },
        },
      },
    )
    partition.step = plant(partition.step.bind(partition))
    pipeline = new Pipeline(
      partition,
      {
        admission: { commitMsMax: 60_000, freeBytes: () => Infinity, freeBytesMin: 0 },
        heartbeatMs: 5_000,
        version: '0.0.0',
      },
      { onAnswer: () => undefined },
    )
    return new GuardedBroker(store, pipeline)
  }

  private constructor(store: LevelStore, pipeline: Pipeline) {
    this.#store = store
    this.#pipeline = pipeline
    const speaker = { principal: 'guard', session: new Uint8Array(16).fill(1) }
    this.#conversation = pipeline.open(this, speaker)
  }

  /** So many tasks, from enqueue to completion. `onWave` is called before and after each part. */
  async run(tasks: number, onWave: () => void): Promise<void> {
    onWave()
    for (let done = 0; done < tasks; done += WAVE_TASKS) {
      await this.#wave()
      onWave()
    }
  }

  async close(): Promise<void> {
    this.#pipeline.stop()
    await this.#store.close()
  }

  async #wave(): Promise<void> {
    const under: Promise<unknown>[] = []
    for (let at = 0; at < WAVE_TASKS; at += ENQUEUE_TASKS) under.push(this.#enqueue())
    for (let at = 0; at < WAVE_TASKS; at += CLAIM_TASKS) under.push(this.#claimAndComplete())
    await Promise.all(under)
  }

  #enqueue(): Promise<unknown> {
    const slot = slotOfQueue(QUEUE)
    const tasks = Array.from({ length: ENQUEUE_TASKS }, () => {
      return { id: this.#ids.make(slot), type: 'noop', payload: PAYLOAD, options: undefined }
    })
    return this.#ask({ verb: 'enqueue', queue: QUEUE, tasks, fresh: true })
  }

  async #claimAndComplete(): Promise<void> {
    let left = CLAIM_TASKS
    while (left > 0) {
      this.#claims += 1
      const claim = { verb: 'claim', queues: [QUEUE], max: left, claim: this.#claims } as const
      const reply = await this.#ask<ReplyOf<'claim'>>({
        ...claim,
        waitMs: 30_000,
        start: true,
        order: 'round',
      })
      const held = reply.tasks.map(([id, token]): HeldTask => ({ id, token }))
      left -= held.length
      const done = held.map((task) => ({ ...task, result: undefined }))
      if (done.length > 0) await this.#ask({ verb: 'complete', tasks: done })
    }
  }

  async #ask<R>(request: Request): Promise<R> {
    this.#requests += 1
    const id = this.#requests
    const answered = new Promise<Answer>((resolve) => this.#answers.set(id, resolve))
    // Copied, as a socket would: the encoder writes the next frame over this one.
    const frame = encodeRequestFrame(id, request).slice()
    const decoded = decodeRequest(frame.subarray(FRAME_HEADER))
    this.#pipeline.receive(this.#conversation, id, decoded.request)
    const answer = await answered
    if (answer.kind === 'refusal') throw answer.error
    return answer.result as R
  }

  send(frame: Uint8Array): void {
    const message = decodeServerMessage(frame.slice(FRAME_HEADER))
    if (message.kind === 'push') return
    this.#answers.get(message.id)?.(message)
    this.#answers.delete(message.id)
  }

  setReading(): void {
    // Nobody is held back: what is sent is bounded by the waves.
  }
}
