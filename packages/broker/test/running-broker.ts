// A broker in this process, on ports and in a directory of its own, stopped when its test ends.

import type { RequestOf } from '@tq/core'
import { onTestFinished } from 'vitest'
import { Broker, type BrokerParts } from '../src/broker.ts'
import { type BrokerConfig, brokerConfig } from '../src/config/config.ts'
import { createLogger } from '../src/observe/log.ts'
import { RawClient } from './raw-client.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Options of any group that shall differ from their defaults. */
export type ConfigChanges = {
  readonly [Name in keyof BrokerConfig]?: BrokerConfig[Name] extends object
    ? Partial<BrokerConfig[Name]>
    : BrokerConfig[Name]
}

export interface LoggedLine {
  readonly level: string
  readonly event: string
  readonly [field: string]: unknown
}

export interface RunningBroker {
  readonly broker: Broker
  readonly config: BrokerConfig
  readonly lines: readonly LoggedLine[]
  /** A connection that has not said anything. */
  readonly connect: () => Promise<RawClient>
  /** A connection that has said hello. */
  readonly greeted: () => Promise<RawClient>
}

export async function aBroker(
  changes: ConfigChanges = {},
  parts: Partial<BrokerParts> = {},
): Promise<RunningBroker> {
  const config = await aConfig(changes)
  const { log, lines } = aLog()
  const broker = await Broker.start(config, { log, ...parts })
  onTestFinished(() => broker.stop({ deadlineMs: 0 }))
  const connect = (): Promise<RawClient> => RawClient.connect(broker.address)
  const greeted = async (): Promise<RawClient> => {
    const client = await connect()
    await client.hello()
    return client
  }
  return { broker, config, lines, connect, greeted }
}

/** Defaults on free ports, without HTTP, in a directory that lasts as long as the test. */
export async function aConfig(changes: ConfigChanges = {}): Promise<BrokerConfig> {
  const defaults = brokerConfig.parse({}) as BrokerConfig
  const own: ConfigChanges = { port: 0, http: { enabled: false, port: 0 } }
  const dataDir = changes.dataDir ?? (await temporaryDirectory())
  return changed(changed(defaults, own), { ...changes, dataDir })
}

export function aLog(): { readonly log: BrokerParts['log']; readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LoggedLine) }
  return { log: createLogger({ level: 'debug', destination }), lines }
}

/** An enqueue of so many small tasks. */
export function enqueueOf(
  queue: string,
  taskCount: number,
  payloadBytes = 1,
): RequestOf<'enqueue'> {
  const payload = new Uint8Array(payloadBytes)
  const task = { id: undefined, type: 'test', payload, options: undefined }
  const tasks = Array.from({ length: taskCount }, () => task)
  return { verb: 'enqueue', queue, tasks, fresh: false }
}

function changed(config: BrokerConfig, changes: ConfigChanges): BrokerConfig {
  const entries = Object.entries(changes).map(([name, change]) => {
    const before = config[name as keyof BrokerConfig]
    return [name, isGroup(change) && isGroup(before) ? { ...before, ...change } : change]
  })
  return { ...config, ...Object.fromEntries(entries) } as BrokerConfig
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
