// A TCP server on a pipeline of its own, with a store in memory and time that stands still.

import type { Socket } from 'node:net'
import type { ErrorCode, Verb } from '@tq/core'
import { onTestFinished } from 'vitest'
import { type BrokerConfig, brokerConfig } from '../src/config/config.ts'
import {
  type AboutConnection,
  type ConnectionEvent,
  type ServerOptions,
  TcpServer,
} from '../src/net/server.ts'
import {
  Partition,
  type PartitionEvents,
  PAYLOAD_CACHE_BYTES_MIN,
} from '../src/pipeline/partition.ts'
import { Pipeline, type PipelineEvents } from '../src/pipeline/pipeline.ts'
import { MemoryStore } from '../src/storage/memory-store.ts'
import type { Store } from '../src/storage/port.ts'
import { ManualWorld } from './manual-world.ts'
import { RawClient } from './raw-client.ts'
import { until } from './until.ts'

const DEFAULTS = brokerConfig.parse({}) as BrokerConfig

export interface TcpRigOptions {
  readonly connection?: Partial<ServerOptions['connection']>
  readonly perAddress?: Partial<ServerOptions['perAddress']>
  readonly connectionsMax?: number
  readonly inputBytesMax?: number
  readonly makeStore?: (world: ManualWorld) => Store
  readonly authenticate?: (token: string | undefined, isLoopback: boolean) => string | undefined
  /** Where connections seem to come from. */
  readonly addressOf?: (socket: Socket) => string
}

export interface TcpRig {
  readonly world: ManualWorld
  readonly server: TcpServer
  readonly pipeline: Pipeline
  readonly partition: Partition
  readonly events: readonly (AboutConnection & { readonly event: ConnectionEvent })[]
  readonly refusedHellos: readonly ErrorCode[]
  /** A connection that has not said anything. */
  readonly connect: () => Promise<RawClient>
  /** A connection that has said hello. */
  readonly greeted: () => Promise<RawClient>
  /** Codes of all answers but those to hello that were refused. */
  readonly answers: readonly { readonly verb: Verb; readonly code: ErrorCode | 'OK' }[]
  /** Resolves when this has happened so many times in all. */
  readonly happened: (event: ConnectionEvent, count?: number) => Promise<void>
  /** Lets time pass, a second a turn, until this holds. */
  readonly passUntil: (holds: () => boolean) => Promise<void>
}

export async function aTcpRig(options: TcpRigOptions = {}): Promise<TcpRig> {
  const world = new ManualWorld()
  const answers: { verb: Verb; code: ErrorCode | 'OK' }[] = []
  const onAnswer: PipelineEvents['onAnswer'] = (verb, code) => void answers.push({ verb, code })
  const store = options.makeStore?.(world) ?? new MemoryStore()
  const { partition, pipeline } = await makePipeline(world, store, onAnswer)
  const events: (AboutConnection & { event: ConnectionEvent })[] = []
  const refusedHellos: ErrorCode[] = []
  const server = new TcpServer(
    {
      pipeline,
      world,
      authenticate: options.authenticate ?? (() => 'somebody'),
      onConnection: (event, about) => void events.push({ event, ...about }),
      onRefusedHello: (code) => refusedHellos.push(code),
      ...(options.addressOf === undefined ? {} : { addressOf: options.addressOf }),
    },
    serverOptions(options),
  )
  await server.start()
  onTestFinished(async () => {
    server.destroy('the test is over')
    await server.stop(0)
    pipeline.stop()
  })
  const connect = (): Promise<RawClient> => RawClient.connect(server.address)
  const greeted = async (): Promise<RawClient> => {
    const client = await connect()
    await client.hello()
    return client
  }
  return {
    ...{ world, server, pipeline, partition, events, refusedHellos, connect, greeted, answers },
    happened: (event, count = 1) =>
      until(() => events.filter((one) => one.event === event).length >= count),
    passUntil: (holds) =>
      until(() => {
        if (!holds()) world.pass(1_000)
        return holds()
      }),
  }
}

/** A server that has not been started. */
export function makeServer(
  world: ManualWorld,
  pipeline: Pipeline,
  options: { readonly port?: number } = {},
): TcpServer {
  const authenticate = (): string => 'somebody'
  const ignore = (): void => {}
  return new TcpServer(
    { pipeline, world, authenticate, onConnection: ignore, onRefusedHello: ignore },
    { ...serverOptions({}), ...options },
  )
}

function serverOptions(options: TcpRigOptions): ServerOptions {
  const { limits, timeouts, workers } = DEFAULTS
  const { frameBytesMax, inFlightMax, outputBytesMax } = limits
  return {
    host: '127.0.0.1',
    port: 0,
    connectionsMax: options.connectionsMax ?? limits.connectionsMax,
    inputBytesMax: options.inputBytesMax ?? limits.inputBytesMax,
    connection: { frameBytesMax, inFlightMax, outputBytesMax, ...timeouts, ...options.connection },
    perAddress: {
      connectionsMax: limits.connectionsPerAddressMax,
      unauthenticatedMax: limits.unauthenticatedPerAddressMax,
      connectRateMax: limits.connectRatePerAddress,
      ...options.perAddress,
    },
    welcome: {
      version: '9.9.9',
      epoch: 1,
      heartbeatMs: workers.heartbeatMs,
      workerDeadMs: workers.deadMs,
    },
  }
}

async function makePipeline(
  world: ManualWorld,
  store: Store,
  onAnswer: PipelineEvents['onAnswer'],
): Promise<{ readonly partition: Partition; readonly pipeline: Pipeline }> {
  const { limits, queues, workers, journal } = DEFAULTS
  let pipeline: Pipeline | undefined
  const events: PartitionEvents = {
    onFact: (fact, task) => pipeline?.heard(fact, task),
    onCommitted: () => undefined,
    onRoom: () => pipeline?.drainBacklog(),
    onFailed: () => pipeline?.silence(),
    onDamage: () => undefined,
  }
  const opened = await store.open()
  const partition = await Partition.recover(
    { store, opened, run: async (_, step) => (await step()).value },
    {
      engine: {
        indexSeed: 1,
        tasksMax: limits.tasksMax,
        autoCreateQueues: queues.autoCreate,
        queueDefaults: queues.defaults,
        workerDeadMs: workers.deadMs,
        sessionIdleMs: workers.sessionIdleMs,
        sessionsMax: limits.sessionsMax,
      },
      journal: { ageMsMax: journal.ageMs, bytesMax: journal.bytesMax },
      payloadCacheBytes: PAYLOAD_CACHE_BYTES_MIN,
    },
    { world, events },
  )
  pipeline = new Pipeline(
    partition,
    {
      admission: { commitMsMax: 5_000, freeBytes: () => Infinity, freeBytesMin: 0 },
      heartbeatMs: workers.heartbeatMs,
      version: '9.9.9',
    },
    { onAnswer },
  )
  return { partition, pipeline }
}
