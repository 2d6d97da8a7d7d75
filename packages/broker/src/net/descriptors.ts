// How many connections a process can have without taking the files from its store.

import { readFileSync } from 'node:fs'

/** The process's own: the store's files, the log, timers, HTTP, and what the runtime needs. */
const DESCRIPTORS_RESERVED = 96
/** Connections that are refused in words may stand beside those that are served. */
export const REFUSALS_AT_ONCE = 32
/** With fewer the broker would be of no use; then it takes the risk. */
const CONNECTIONS_LEAST = 8

/**
 * Most connections that leave the store its files: a store that cannot open one is at its end.
 * @param descriptorsMax Files that this process may open; Infinity if nobody knows.
 */
export function connectionsWithin(descriptorsMax: number): number {
  return Math.max(CONNECTIONS_LEAST, descriptorsMax - DESCRIPTORS_RESERVED - REFUSALS_AT_ONCE)
}

/** Files that this process may open, as Linux tells; Infinity elsewhere. Node has raised it already. */
export function descriptorsMax(): number {
  let limits: string
  try {
    limits = readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return Infinity
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? Infinity : Number(soft)
}
