// What the kernel tells of a process: memory, descriptors, threads, CPU. Linux only.

import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessFigures {
  readonly rssBytes: number
  /** Its share of memory: pages that others use as well count in part. */
  readonly pssBytes: number
  /** Memory that is no file: heap, stacks, native allocations. */
  readonly anonymousBytes: number
  readonly descriptors: number
  readonly threads: number
  readonly cpuSeconds: number
}

/** Ticks of the kernel's CPU clock a second, as Linux fixes it for user space. */
const CLOCK_TICKS_PER_SECOND = 100

export function processFigures(pid: number): ProcessFigures {
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  const bytesOf = (name: string): number => {
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1] ?? Number.NaN) * 1_024
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    rssBytes: bytesOf('Rss'),
    pssBytes: bytesOf('Pss'),
    anonymousBytes: bytesOf('Anonymous'),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: Number(fields[17]),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND,
  }
}
