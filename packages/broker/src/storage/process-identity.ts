// Which process this is, told so that a later process can find out whether it still runs.

import { readFile, readlink } from 'node:fs/promises'

/** Empty texts stand for what the platform does not tell: `/proc` is Linux's. */
export interface ProcessIdentity {
  readonly pid: number
  /** When the process started, in ticks since the boot: tells it from a later one of its pid. */
  readonly startTime: string
  /** Changes with each boot of the machine. */
  readonly bootId: string
  /** Within which processes the pid means anything: each container has its own. */
  readonly pidNamespace: string
}

export async function thisProcess(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? '',
    bootId: await textOrEmpty(() => readFile('/proc/sys/kernel/random/boot_id', 'utf8')),
    pidNamespace: await textOrEmpty(() => readlink('/proc/self/ns/pid')),
  }
}

/**
 * False if that process has certainly ended, or if it cannot be seen from here because it lives
 * in another container: then only a lock of the kernel, such as LevelDB's own, can tell.
 */
export async function isRunning(other: ProcessIdentity): Promise<boolean> {
  const self = await thisProcess()
  if (other.bootId !== self.bootId) return false
  if (other.pidNamespace !== self.pidNamespace) return false
  if (other.startTime === '') return isSignalable(other.pid)
  return (await startTimeOf(other.pid)) === other.startTime
}

/** True if that process may run in another container of this boot, where nobody here can see it. */
export async function isElsewhere(other: ProcessIdentity): Promise<boolean> {
  const self = await thisProcess()
  return other.bootId === self.bootId && other.pidNamespace !== self.pidNamespace
}

/** Field 22 of /proc/<pid>/stat; undefined if no such process runs, zombies included. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await textOrEmpty(() => readFile(`/proc/${pid}/stat`, 'utf8'))
  // The second field is the name in brackets; it may hold anything, even spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  return state === 'Z' || state === 'X' ? undefined : startTime
}

function isSignalable(pid: number): boolean {
  try {
    // Signal 0 asks whether there is such a process, and sends nothing.
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function textOrEmpty(read: () => Promise<string>): Promise<string> {
  try {
    return (await read()).trim()
  } catch {
    return ''
  }
}
