// One way of asking too much of a broker, and what is measured and held against it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TqClient } from '@tq/client'
import { freePort, SoakedBroker } from '../soak/soaked-broker.ts'
import { Ledger } from './ledger.ts'
import { MemoryWatch } from './memory-watch.ts'
import { Probe } from './probe.ts'

export interface Shape {
  readonly name: string
  readonly flags: readonly string[]
  readonly run: (stage: Stage) => Promise<void>
}

/** What a shape works with while it runs. */
export interface Stage {
  readonly port: number
  readonly pid: number
  readonly seconds: number
  /** Goodput is held to its bound: not where others use the machine. */
  readonly isStrict: boolean
  readonly ledger: Ledger
  /** A client that asks for little, as ordinary ones do. */
  readonly client: TqClient
  readonly figures: Record<string, number>
  readonly violate: (what: string) => void
  /** What makes the run say nothing, though nothing is wrong. */
  readonly doubt: (what: string) => void
}

export interface ShapeResult {
  readonly shape: string
  readonly figures: Readonly<Record<string, number>>
  readonly refusals: Readonly<Record<string, number>>
  readonly violations: readonly string[]
  /** Why it has no verdict, if it has none. */
  readonly doubts: readonly string[]
}

const MIB = 2 ** 20
/**
 * Memory that is no file, whatever is asked of it: 40 MiB of requests, up to 32 clients with 12 MiB
 * of answers each, 48 MiB of payloads, LevelDB's buffers, the tasks, and what the collector has not
 * got to yet.
 */
const MEMORY_BYTES_MAX = 1_024 * MIB
const RECOVERY_SECONDS_MAX = 30
/** Small, so that a short run meets them. */
const FLAGS: readonly string[] = [
  `--limits-input-bytes-max=${40 * MIB}`,
  `--storage-payload-cache-bytes=${48 * MIB}`,
]

export async function runShape(
  shape: Shape,
  options: { readonly packages: string; readonly seconds: number; readonly isStrict: boolean },
): Promise<ShapeResult> {
  const directory = mkdtempSync(join(tmpdir(), 'tq-overload-'))
  const flags = [...FLAGS, ...shape.flags]
  const broker = new SoakedBroker(options.packages, { directory, port: await freePort(), flags })
  try {
    await broker.start()
    return await onStage(shape, broker, options)
  } finally {
    await broker.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function onStage(
  shape: Shape,
  broker: SoakedBroker,
  options: { readonly seconds: number; readonly isStrict: boolean },
): Promise<ShapeResult> {
  const violations: string[] = []
  const doubts: string[] = []
  const violate = (what: string): void => void violations.push(what)
  const figures: Record<string, number> = {}
  const ledger = new Ledger()
  const { port, pid } = broker
  const client = new TqClient({ address: `127.0.0.1:${port}`, retryRefusals: false })
  const probe = new Probe(port)
  figures['unloadedMs'] = await probe.typicalMs()
  const memory = new MemoryWatch(pid)
  try {
    const doubt = (what: string): void => void doubts.push(what)
    await shape.run({ ...options, port, pid, ledger, client, figures, violate, doubt })
    figures['recoverySeconds'] = await probe.recoverySeconds(figures['unloadedMs'])
    if (figures['recoverySeconds'] > RECOVERY_SECONDS_MAX) violate('it did not recover in time')
  } finally {
    memory.stop()
    await Promise.all([client.close(), probe.close()])
  }
  figures['memoryMiB'] = memory.peakBytes / MIB
  if (memory.peakBytes > MEMORY_BYTES_MAX) violate('it took more memory than it may')
  if (broker.exitCode !== undefined) violate(`the broker ended with ${broker.exitCode}`)
  if (ledger.owed > 0) violate(`${ledger.owed} acknowledged tasks were never done`)
  if (ledger.wordless > 0) violate(`${ledger.wordless} refusals did not say when to come again`)
  return { shape: shape.name, figures, refusals: ledger.refusals, violations, doubts }
}
