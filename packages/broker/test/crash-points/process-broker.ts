// Engine and pipeline over any store, without sockets; time passes with the requests.

import {
  decodeServerMessage,
  type ReplyOf,
  type Request,
  type RequestOf,
  type Verb,
} from '@tq/core'
import { checkInvariants } from '../../src/engine/invariants.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../../src/engine/state.ts'
import type { Conversation, Sink } from '../../src/pipeline/conversation.ts'
import { Partition, PAYLOAD_CACHE_BYTES_MIN, type World } from '../../src/pipeline/partition.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import type { MemoryImage } from '../../src/storage/memory-image.ts'
import type { Store } from '../../src/storage/port.ts'
import type { Answer, Line } from '../ledger/line.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { faultsOf } from '../store-check.ts'

const WALL_START_MS = 1_800_000_000_000
/** Time that passes with each request, so that retries become due. */
const REQUEST_MS = 5
const DAY_MS = 86_400_000

export class ProcessBroker {
  /** Resolves when it cannot go on: the process is gone, or a commit has failed. */
  readonly died: Promise<void>
  readonly #store: Store
  readonly #lines = new Set<ProcessLine>()
  readonly #damages: string[] = []
  #partition: Partition | undefined
  #pipeline: Pipeline | undefined
  #nowMs = 0
  #resolveDied: () => void = () => undefined

  constructor(store: Store) {
    this.#store = store
    this.died = new Promise((resolve) => {
      this.#resolveDied = resolve
    })
  }

  /** @throws {StoreError} as the start of a broker does. */
  async start(): Promise<void> {
    const store = this.#store
    const partition = await Partition.recover(
      { store, opened: await store.open(), run: async (_, step) => (await step()).value },
      {
        engine: DEFAULT_ENGINE_OPTIONS,
        journal: { ageMsMax: DAY_MS, bytesMax: 2 ** 28 },
        payloadCacheBytes: PAYLOAD_CACHE_BYTES_MIN,
      },
      {
        world: this.#world(),
        events: {
          onFact: (fact, task) => this.#pipeline?.heard(fact, task),
          onCommitted: () => undefined,
          onRoom: () => this.#pipeline?.drainBacklog(),
          onFailed: () => this.die(),
          onDamage: (what) => this.#damages.push(what),
        },
      },
    )
    this.#partition = partition
    const admission = { commitMsMax: Infinity, freeBytes: () => Infinity, freeBytesMin: 0 }
    this.#pipeline = new Pipeline(
      partition,
      { admission, heartbeatMs: 5_000, version: '0.0.0' },
      { onAnswer: () => undefined },
    )
  }

  /** What is wrong with the state and with the store that it was just recovered from. */
  faultsOf(image: MemoryImage): readonly string[] {
    const { state, journal, commits } = this.#parts().partition
    checkInvariants(state)
    const { fromLsn } = journal
    return [...this.#damages, ...faultsOf(image, state, { fromLsn, lsn: commits.durableLsn })]
  }

  readonly dial = async (session: Uint8Array): Promise<Line> => {
    const line = new ProcessLine(this, session)
    this.#lines.add(line)
    return line
  }

  /** Nothing is said to anybody any more, and everybody notices. */
  die(): void {
    this.#resolveDied()
    this.#pipeline?.silence()
    for (const line of this.#lines) line.close()
  }

  /** In good order: all commits have ended. */
  async stop(): Promise<void> {
    await this.#parts().partition.commits.idle()
    await this.#store.close()
  }

  open(sink: Sink, session: Uint8Array): Conversation {
    return this.#parts().pipeline.open(sink, { principal: 'anonymous', session })
  }

  receive(conversation: Conversation, id: number, request: Request): void {
    const { pipeline } = this.#parts()
    this.#nowMs += REQUEST_MS
    pipeline.tick()
    pipeline.receive(conversation, id, request)
  }

  #world(): World {
    return {
      clock: { wallMs: () => WALL_START_MS + this.#nowMs, monotonicMs: () => this.#nowMs },
      scheduler: {
        after: () => ({ cancel: () => undefined }),
        soon: (callback) => void setImmediate(callback),
      },
      random: new SeededRandom(1, 'broker'),
    }
  }

  #parts(): { readonly partition: Partition; readonly pipeline: Pipeline } {
    if (this.#partition === undefined || this.#pipeline === undefined) {
      throw new Error('the broker was not started')
    }
    return { partition: this.#partition, pipeline: this.#pipeline }
  }
}

class ProcessLine implements Line, Sink {
  readonly session: Uint8Array
  readonly isFull = false
  readonly #broker: ProcessBroker
  readonly #conversation: Conversation
  readonly #waiting = new Map<number, (answer: Answer<Verb>) => void>()
  #lastId = 0
  isGone = false

  constructor(broker: ProcessBroker, session: Uint8Array) {
    this.session = session
    this.#broker = broker
    this.#conversation = broker.open(this, session)
  }

  ask<V extends Verb>(request: RequestOf<V>): Promise<Answer<V>> {
    if (this.isGone) return Promise.resolve({ kind: 'gone' })
    this.#lastId += 1
    const id = this.#lastId
    const answer = new Promise<Answer<Verb>>((resolve) => this.#waiting.set(id, resolve))
    this.#broker.receive(this.#conversation, id, request as Request)
    return answer as Promise<Answer<V>>
  }

  send(frame: Uint8Array): void {
    const message = decodeServerMessage(Uint8Array.from(frame.subarray(4)))
    if (message.kind === 'push') return
    const answered = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.kind === 'refusal') answered?.({ kind: 'refusal', error: message.error })
    else answered?.({ kind: 'reply', result: message.result as ReplyOf<Verb>, lsn: message.lsn })
  }

  setReading(): void {}

  close(): void {
    this.isGone = true
    for (const answered of this.#waiting.values()) answered({ kind: 'gone' })
    this.#waiting.clear()
  }
}
