// One crash point at the storage port: a fixed scenario stops at a call, and the next start is checked.

import { MemoryImage } from '../../src/storage/memory-image.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { StoreError } from '../../src/storage/port.ts'
import { Ledger } from '../ledger/ledger.ts'
import { violationsOf } from '../ledger/ledger-report.ts'
import { type CallCounter, type Crash, CrashingStore, type PortCall } from './crashing-store.ts'
import { ProcessBroker } from './process-broker.ts'

export interface PortScenario {
  readonly seed: number
  /** Requests of each of its two lives; the second begins with a recovery. */
  readonly operations: number
}

export interface PortResult {
  /** The call at which it happened; undefined if the scenario ended before. */
  readonly hit: PortCall | undefined
  readonly violations: readonly string[]
}

const CONNECTIONS = 3
const PAYLOAD_BYTES_MAX = 200

/** The calls that the scenario makes if nothing happens, in their order. */
export async function portCalls(scenario: PortScenario): Promise<readonly PortCall[]> {
  const counter = aCounter(Infinity, 'before')
  await live(new MemoryImage(), new Ledger(), { ...scenario, counter })
  return counter.calls
}

export async function crashAtPort(
  at: number,
  crash: Crash,
  scenario: PortScenario,
): Promise<PortResult> {
  const image = new MemoryImage()
  const ledger = new Ledger()
  const counter = aCounter(at, crash)
  await live(image, ledger, { ...scenario, counter })
  const { hit } = counter
  if (hit === undefined) return { hit, violations: [] }
  const disk = image.fork()
  const broker = new ProcessBroker(new MemoryStore(disk))
  await broker.start()
  const faults = broker.faultsOf(disk)
  const report = await ledger.verify(broker.dial)
  await broker.stop()
  return { hit, violations: [...faults, ...violationsOf(report)] }
}

function aCounter(at: number, crash: Crash): CallCounter {
  return { at, crash, calls: [], hit: undefined, onDeath: () => undefined }
}

/** A start on nothing, a load, a stop; a start on what is there, a load, a stop. */
async function live(
  image: MemoryImage,
  ledger: Ledger,
  scenario: PortScenario & { readonly counter: CallCounter },
): Promise<void> {
  const { seed, operations, counter } = scenario
  for (const life of [0, 1]) {
    const broker = new ProcessBroker(new CrashingStore(image, counter))
    counter.onDeath = () => broker.die()
    let driven: Promise<void> = Promise.resolve()
    const act = async (): Promise<'done' | 'refused'> => {
      if (!(await hasStarted(broker))) return 'refused'
      driven = ledger.drive(broker.dial, {
        seed: seed + life,
        operations,
        connections: CONNECTIONS,
        payloadBytesMax: PAYLOAD_BYTES_MAX,
      })
      await driven
      await broker.stop()
      return 'done'
    }
    const end = await Promise.race([broker.died, act()])
    // Everybody has noticed, and has written down what was not answered.
    await driven
    // A start that was refused is tried again, by the check.
    if (end !== 'done') return
  }
}

async function hasStarted(broker: ProcessBroker): Promise<boolean> {
  try {
    await broker.start()
    return true
  } catch (error) {
    if (error instanceof StoreError) return false
    throw error
  }
}
