// How many connections a process can have without taking the files from its store.

import { readFileSync } from 'node:fs'

/** The process's own: the store's files, the log, timers, and what the runtime needs. */
const DESCRIPTORS_RESERVED = 96
/** Connections that are refused in words may stand beside those that are served. */
export const REFUSALS_AT_ONCE = 32
/** With fewer the broker would be of no use; then it takes the risk. */
const CONNECTIONS_LEAST = 8
/** A monitoring system and some probes need few; more are somebody's mistake. */
const HTTP_CONNECTIONS_MAX = 256
/** Enough for two probes and a scrape, with room for one that lingers. */
const HTTP_CONNECTIONS_LEAST = 4
/** Clients come first where descriptors are few: HTTP gets one connection in so many. */
const HTTP_SHARE = 8

/**
 * Most connections of clients that leave the store its files: a store that cannot open one is at
 * its end.
 * @param descriptorsMax Files that this process may open; Infinity if nobody knows.
 * @param httpConnections Most that HTTP may have beside them; 0 if it is off.
 */
export function connectionsWithin(descriptorsMax: number, httpConnections: number): number {
  return Math.max(CONNECTIONS_LEAST, free(descriptorsMax) - httpConnections)
}

/** Most connections of HTTP: they take from the same descriptors as clients and the store. */
export function httpConnectionsWithin(descriptorsMax: number): number {
  const share = Math.floor(free(descriptorsMax) / HTTP_SHARE)
  return Math.min(HTTP_CONNECTIONS_MAX, Math.max(HTTP_CONNECTIONS_LEAST, share))
}

function free(descriptorsMax: number): number {
  return descriptorsMax - DESCRIPTORS_RESERVED - REFUSALS_AT_ONCE
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
