// Clients that vanish without a word, again and again: the broker finds out by itself, and keeps nothing.

import { readdir } from 'node:fs/promises'
import { eventually } from '../end-to-end/eventually.ts'
import { WireClient } from '../end-to-end/wire-client.ts'
import type { RigBroker } from '../rig-broker.ts'
import { LineProxy } from './line-proxy.ts'

const IDLE_MS = 1_000
/** Connections may be idle for this long; the broker looks at them four times within it. */
export const HALF_OPEN_FLAGS: readonly string[] = [
  '--workers-heartbeat-ms=400',
  `--timeouts-idle-ms=${IDLE_MS}`,
]
/** A look at the connections, and a machine that has other things to do. */
const SLACK_MS = 2_500

export interface HalfOpenOptions {
  readonly broker: RigBroker
  readonly cycles: number
  /** Connections that vanish at a time. */
  readonly atOnce: number
}

/** @returns What was not as it should be. */
export async function vanishAgainAndAgain(options: HalfOpenOptions): Promise<string[]> {
  const { broker, cycles, atOnce } = options
  const violations: string[] = []
  const before = await descriptorCount(broker)
  for (let done = 0; done < cycles; done += atOnce) {
    const line = await LineProxy.start(() => broker.address)
    const wires = await Promise.all(
      Array.from({ length: atOnce }, () => WireClient.connect(line.address)),
    )
    line.become({ up: 'lost', down: 'lost' })
    const vanishedMs = performance.now()
    for (const wire of wires) wire.destroy()
    await eventually(async () => {
      const after = await descriptorCount(broker)
      if (after > before) throw new Error(`${after} descriptors, ${before} before`)
    }).catch((error: Error) =>
      violations.push(`I22: after ${done + atOnce} cycles ${error.message}`),
    )
    const tookMs = Math.round(performance.now() - vanishedMs)
    if (tookMs > IDLE_MS + SLACK_MS) {
      violations.push(`clients that vanished were noticed after ${tookMs} ms, idle is ${IDLE_MS}`)
    }
    line.stop()
  }
  return violations
}

async function descriptorCount(broker: RigBroker): Promise<number> {
  return (await readdir(`/proc/${broker.process.pid}/fd`)).length
}
