// Reads a CPU profile of Node (.cpuprofile) and tells where the time itself went.

import { UsageError } from '../run/usage-error.ts'

export interface ProfileFrame {
  readonly functionName: string
  readonly url: string
  /** From 0; -1 of what has no source. */
  readonly lineNumber: number
}

/** What is used of such a file: a tree of calls, and at which node each sample was taken. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: ProfileFrame }[]
  readonly samples: readonly number[]
  /** Time before each sample, in µs. */
  readonly timeDeltas: readonly number[]
}

export interface Share {
  readonly name: string
  readonly selfMs: number
  /** Of the time in which it was not idle. */
  readonly percent: number
}

/** What V8 calls the time in which there was nothing to do. */
const IDLE = '(idle)'
/** Below this, paths are the same in every checkout. */
const PATH_ROOTS = /^.*\/(?=(?:packages|node_modules)\/(?!.*\/node_modules\/))/

/** The longest first; what several profiles say is summed up. */
export function functionShares(profiles: readonly CpuProfile[]): readonly Share[] {
  return sharesBy(profiles, ({ functionName, url, lineNumber }) => {
    const name = functionName === '' ? '(anonymous)' : functionName
    return url === '' ? name : `${name} ${fileName(url)}:${lineNumber + 1}`
  })
}

export function fileShares(profiles: readonly CpuProfile[]): readonly Share[] {
  // What has no file is garbage collection, native code, and the like: each its own line.
  return sharesBy(profiles, ({ functionName, url }) => (url === '' ? functionName : fileName(url)))
}

/** Share of the time in which it waited, in percent. */
export function idlePercent(profiles: readonly CpuProfile[]): number {
  const selfUs = selfTimes(profiles, ({ functionName }) => functionName)
  const allUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0)
  return allUs === 0 ? 0 : ((selfUs.get(IDLE) ?? 0) / allUs) * 100
}

/** @throws {UsageError} if it is something else. */
export function parseCpuProfile(text: string, path: string): CpuProfile {
  try {
    const profile = JSON.parse(text) as Partial<CpuProfile>
    const { nodes, samples, timeDeltas } = profile
    if (nodes !== undefined && samples !== undefined && timeDeltas !== undefined) {
      return { nodes, samples, timeDeltas }
    }
  } catch {
    // Told below.
  }
  throw new UsageError(`${path} is no CPU profile; node --cpu-prof writes them`)
}

function sharesBy(
  profiles: readonly CpuProfile[],
  nameOf: (frame: ProfileFrame) => string,
): readonly Share[] {
  const selfUs = selfTimes(profiles, nameOf)
  selfUs.delete(IDLE)
  const busyUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0)
  return [...selfUs]
    .filter(([, us]) => us > 0)
    .map(([name, us]) => ({ name, selfMs: us / 1_000, percent: (us / busyUs) * 100 }))
    .toSorted((one, other) => other.selfMs - one.selfMs)
}

function selfTimes(
  profiles: readonly CpuProfile[],
  nameOf: (frame: ProfileFrame) => string,
): Map<string, number> {
  const selfUs = new Map<string, number>()
  for (const { nodes, samples, timeDeltas } of profiles) {
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
    for (const [index, node] of samples.entries()) {
      // A delta is the time since the sample before: until then it ran what that sample saw.
      const us = Math.max(0, timeDeltas[index + 1] ?? 0)
      const name = names.get(node) ?? '(unknown)'
      selfUs.set(name, (selfUs.get(name) ?? 0) + us)
    }
  }
  return selfUs
}

function fileName(url: string): string {
  return url.replace(/^file:\/\//, '').replace(PATH_ROOTS, '')
}
