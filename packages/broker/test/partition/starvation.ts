// Tells if this process or a broker stood still for so long that leases may have been lost for that.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { RigBroker } from '../rig-broker.ts'

const NS_PER_MS = 1_000_000

export class Starvation {
  readonly #broker: RigBroker
  readonly #delay: IntervalHistogram
  readonly #standstillMs: number

  /** @param standstillMs From which length on a standstill counts. */
  constructor(broker: RigBroker, standstillMs: number) {
    this.#broker = broker
    this.#standstillMs = standstillMs
    this.#delay = monitorEventLoopDelay({ resolution: 20 })
    this.#delay.enable()
  }

  get happened(): boolean {
    const isOurs = this.#delay.max / NS_PER_MS > this.#standstillMs
    return isOurs || this.#broker.process.output.includes('"event":"stalled"')
  }
}
