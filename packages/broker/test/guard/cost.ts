// What work costs: CPU time of the process, and bytes allocated on its heap.

import { getHeapStatistics } from 'node:v8'

export interface Cost {
  readonly cpuUs: number
  readonly heapBytes: number
}

/** Measures work that calls `onWave` before its first part and after each. */
export async function costOf(work: (onWave: () => void) => Promise<void> | void): Promise<Cost> {
  const growths: number[] = []
  let usedBytes: number | undefined
  const onWave = (): void => {
    const { used_heap_size: nowBytes } = getHeapStatistics()
    if (usedBytes !== undefined) growths.push(nowBytes - usedBytes)
    usedBytes = nowBytes
  }
  // The young generation only: after a full collection its pages would have to be mapped anew.
  globalThis.gc?.(true)
  const before = process.cpuUsage()
  await work(onWave)
  const { user, system } = process.cpuUsage(before)
  return { cpuUs: user + system, heapBytes: allocated(growths) }
}

/** A part in which garbage was collected tells nothing: it counts as much as the others do. */
function allocated(growths: readonly number[]): number {
  const grown = growths.filter((bytes) => bytes >= 0)
  const sum = grown.reduce((all, bytes) => all + bytes, 0)
  return grown.length === 0 ? 0 : (sum / grown.length) * growths.length
}
