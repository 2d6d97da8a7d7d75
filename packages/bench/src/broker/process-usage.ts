// What processes use of the machine, as the kernel counts it.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Ticks of the kernel's CPU clock a second, as Linux fixes it for user space. */
const CLOCK_TICKS_PER_SECOND = 100
const TICK_US = 1_000_000 / CLOCK_TICKS_PER_SECOND
/** Unit of `blocks` in what stat tells of a file. */
const BLOCK_BYTES = 512

/** CPU time of all threads of a process so far, user and system, in µs; in steps of 10 ms. */
export function cpuUsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name of the program comes in parentheses, and may have spaces in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

/** Its share of memory (PSS), in bytes. */
export function memoryBytesOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1_024
}

/** CPU time that all processes of the machine have taken so far, in µs. */
export function machineCpuUs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n')
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) * TICK_US
}

/** Bytes on disk of all files below a directory. */
export function diskBytesOf(directory: string): number {
  let bytes = 0
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += blocksOf(join(entry.parentPath, entry.name)) * BLOCK_BYTES
  }
  return bytes
}

/** 0 of a file that has just been removed, as LevelDB does after a compaction. */
function blocksOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.blocks ?? 0
}
