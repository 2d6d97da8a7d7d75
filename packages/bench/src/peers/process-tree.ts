// A process and all that came of it, as Linux tells it: who belongs to it, and its CPU time.

import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of the kernel's CPU clock a second, as Linux fixes it for user space. */
const TICKS_PER_SECOND = 100
export const US_PER_TICK = 1_000_000 / TICKS_PER_SECOND

/** The pids of `root` and of its descendants that are there now. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = statOf(pid)?.parent
    if (parent === undefined) continue
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [pid])
    else siblings.push(pid)
  }
  if (statOf(root) === undefined) return []
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/**
 * CPU time of the tree so far, in µs, in steps of the kernel's clock (10 ms). What ended within it
 * counts on, as long as somebody in the tree has waited for it.
 */
export function treeCpuUs(root: number): number {
  const ticks = processTree(root).reduce((sum, pid) => sum + (statOf(pid)?.ticks ?? 0), 0)
  return ticks * US_PER_TICK
}

interface ProcessStat {
  readonly parent: number
  readonly ticks: number
}

/** Undefined: it is gone. */
function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold anything; the state comes behind the last one.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [user = 0, system = 0, waitedUser = 0, waitedSystem = 0] = fields.slice(11, 15)
    return { parent: fields[1] ?? 0, ticks: user + system + waitedUser + waitedSystem }
  } catch {
    return undefined
  }
}
