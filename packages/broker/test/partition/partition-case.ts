// What can happen to a line, and what may come of it.

import type { LineProxy, LineState } from './line-proxy.ts'

export interface PartitionCase {
  readonly name: string
  /**
   * `cut`: the worker loses its task. `brief`: connections break, and nobody loses anything.
   * `harmless`: nobody notices.
   */
  readonly effect: 'cut' | 'brief' | 'harmless'
  readonly begin: (line: LineProxy) => void
}

export const PARTITION_CASES: readonly PartitionCase[] = [
  cut('what the worker sends is held', { up: 'held', down: 'open' }),
  cut('what the worker hears is held', { up: 'open', down: 'held' }),
  cut('both ways are held', { up: 'held', down: 'held' }),
  cut('both ways lose what they are given', { up: 'lost', down: 'lost' }),
  { name: 'connections are reset', effect: 'brief', begin: (line) => line.reset() },
  { name: 'the way up is closed', effect: 'brief', begin: (line) => line.halfClose('up') },
  { name: 'the way down is closed', effect: 'brief', begin: (line) => line.halfClose('down') },
  harmless('every byte comes alone', { singleBytes: true }),
  harmless('bytes come in heaps', { gatherMs: 100 }),
]

function cut(name: string, state: LineState): PartitionCase {
  return { name, effect: 'cut', begin: (line) => line.become(state) }
}

function harmless(name: string, style: Omit<LineState, 'up' | 'down'>): PartitionCase {
  const begin = (line: LineProxy): void => line.become({ up: 'open', down: 'open', ...style })
  return { name, effect: 'harmless', begin }
}
