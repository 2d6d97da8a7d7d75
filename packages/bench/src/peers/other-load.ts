// What the rest of the machine does while something is measured.

import { readFileSync } from 'node:fs'
import { treeCpuUs, US_PER_TICK } from './process-tree.ts'

/** A moment to count from. */
export interface LoadMark {
  readonly atMs: number
  readonly busyUs: number
  readonly ownUs: number
}

export function markLoad(): LoadMark {
  const busyUs = busyTicks(readFileSync('/proc/stat', 'latin1')) * US_PER_TICK
  return { atMs: performance.now(), busyUs, ownUs: treeCpuUs(process.pid) }
}

/** CPU taken by processes that are not ours between two marks, in percent of one core. */
export function otherPercent(from: LoadMark, to: LoadMark): number {
  const otherUs = to.busyUs - from.busyUs - (to.ownUs - from.ownUs)
  const wallUs = (to.atMs - from.atMs) * 1_000
  // Clocks in steps of 10 ms may give a little less than nothing.
  return wallUs <= 0 ? 0 : Math.max(0, Math.round((otherUs / wallUs) * 100))
}

/** Ticks in which the cores did something, those included that the host took from them. */
export function busyTicks(stat: string): number {
  const [total = ''] = stat.split('\n')
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = total
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return user + nice + system + irq + softIrq + stolen
}
