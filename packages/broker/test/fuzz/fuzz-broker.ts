// A broker for fuzzing: real sockets, real pipeline, a store in memory, and time that stands still.

import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { checkInvariants } from '../../src/engine/invariants.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../../src/engine/state.ts'
import { type BrokerConfig, brokerConfig } from '../../src/config/config.ts'
import { TcpServer } from '../../src/net/server.ts'
import { Partition, PAYLOAD_CACHE_BYTES_MIN } from '../../src/pipeline/partition.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { MemoryImage } from '../../src/storage/memory-image.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { ManualWorld } from '../manual-world.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { dumpState } from '../state-dump.ts'

const DEFAULTS = brokerConfig.parse({}) as BrokerConfig
const WHOLE_STORE = { from: Uint8Array.of(0), to: Uint8Array.of(0xff) }
/** Turns of the event loop after which what is under way must have ended. */
const TURNS_MAX = 10_000

export class FuzzBroker {
  readonly #image: MemoryImage
  readonly #partition: Partition
  readonly #pipeline: Pipeline
  readonly #server: TcpServer
  #failed: string | undefined

  static async start(): Promise<FuzzBroker> {
    const image = new MemoryImage()
    const store = new MemoryStore(image)
    const random = new SeededRandom(1, 'broker')
    const { clock, scheduler } = new ManualWorld()
    const world = { clock, scheduler, random }
    const parts: { pipeline?: Pipeline; broker?: FuzzBroker } = {}
    const partition = await Partition.recover(
      { store, opened: await store.open(), run: async (_, step) => (await step()).value },
      {
        engine: { ...DEFAULT_ENGINE_OPTIONS, queueDefaults: DEFAULTS.queues.defaults },
        journal: { ageMsMax: DEFAULTS.journal.ageMs, bytesMax: DEFAULTS.journal.bytesMax },
        payloadCacheBytes: PAYLOAD_CACHE_BYTES_MIN,
      },
      {
        world,
        events: {
          onFact: (fact, task) => parts.pipeline?.heard(fact, task),
          onCommitted: () => undefined,
          onRoom: () => parts.pipeline?.drainBacklog(),
          onFailed: (outcome) => parts.broker?.fail(outcome),
          onDamage: (what) => parts.broker?.fail(`a damaged ${what}`),
        },
      },
    )
    const pipeline = new Pipeline(
      partition,
      {
        admission: { commitMsMax: 5_000, freeBytes: () => Infinity, freeBytesMin: 0 },
        heartbeatMs: DEFAULTS.workers.heartbeatMs,
        version: '9.9.9',
      },
      { onAnswer: () => undefined },
    )
    parts.pipeline = pipeline
    const server = makeServer(pipeline, world)
    const broker = new FuzzBroker({ image, partition, pipeline, server })
    parts.broker = broker
    await server.start()
    return broker
  }

  private constructor(parts: {
    readonly image: MemoryImage
    readonly partition: Partition
    readonly pipeline: Pipeline
    readonly server: TcpServer
  }) {
    this.#image = parts.image
    this.#partition = parts.partition
    this.#pipeline = parts.pipeline
    this.#server = parts.server
    process.on('uncaughtException', this.#onCrash)
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#server.address
  }

  get connectionCount(): number {
    return this.#server.connectionCount
  }

  /** Why it could not go on; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failed
  }

  /** What would end the process of a broker. */
  readonly #onCrash = (error: Error): void => this.fail(`${error.name}: ${error.message}`)

  fail(what: string): void {
    this.#failed ??= what
  }

  /** Everything that can happen without time passing has happened. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 4; turns += 1) await turn()
    let isIdle = false
    void this.#partition.commits.idle().then(() => (isIdle = true))
    await this.until(() => isIdle)
    await turn()
  }

  /** All that it holds, in memory and on disk, as one text. @throws {InvariantError} */
  dump(): string {
    checkInvariants(this.#partition.state)
    const stored = createHash('sha1')
    for (const [key, value] of this.#image.entries(WHOLE_STORE)) stored.update(key).update(value)
    return `${JSON.stringify(dumpState(this.#partition.state))} ${stored.digest('hex')}`
  }

  /** Waits until this holds; false if it does not come about. */
  async until(holds: () => boolean): Promise<boolean> {
    for (let turns = 0; turns < TURNS_MAX; turns += 1) {
      if (holds()) return true
      if (this.#failed !== undefined) return false
      await turn()
    }
    return holds()
  }

  async stop(): Promise<void> {
    process.off('uncaughtException', this.#onCrash)
    this.#server.destroy('the end')
    await this.#server.stop(0)
    this.#pipeline.stop()
  }
}

function makeServer(pipeline: Pipeline, world: ManualWorldParts): TcpServer {
  const { limits, timeouts, workers } = DEFAULTS
  const { frameBytesMax, inFlightMax, outputBytesMax } = limits
  const ignore = (): void => undefined
  return new TcpServer(
    {
      pipeline,
      world,
      authenticate: () => 'somebody',
      onConnection: ignore,
      onRefusedHello: ignore,
    },
    {
      host: '127.0.0.1',
      port: 0,
      connectionsMax: limits.connectionsMax,
      inputBytesMax: limits.inputBytesMax,
      connection: { frameBytesMax, inFlightMax, outputBytesMax, ...timeouts },
      perAddress: {
        connectionsMax: limits.connectionsPerAddressMax,
        unauthenticatedMax: limits.unauthenticatedPerAddressMax,
        connectRateMax: limits.connectRatePerAddress,
      },
      welcome: {
        version: '9.9.9',
        epoch: 1,
        heartbeatMs: workers.heartbeatMs,
        workerDeadMs: workers.deadMs,
      },
    },
  )
}

type ManualWorldParts = ConstructorParameters<typeof TcpServer>[0]['world']
