// Which points of a broker's life are visited: how often it makes each call, and a fair choice of those.

import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { CrashSite } from './crash-site.ts'
import { liveThrough } from './broker-life.ts'
import { type Injection, StracedBroker } from './straced-broker.ts'

/** What is injected at one kind of call. */
export interface Arm {
  readonly call: string
  readonly effect: string
  readonly filesOnly: boolean
}

const KILL = 'signal=SIGKILL'
const FILE_CALLS = [
  'write',
  'pwrite64',
  'fdatasync',
  'fsync',
  'rename',
  'unlink',
  'link',
  'openat',
  'close',
  'mkdir',
  'rmdir',
]

/** Files by themselves, and then everything: answers half sent, the log, modules being loaded. */
export const KILL_ARMS: readonly Arm[] = [
  ...FILE_CALLS.map((call) => ({ call, effect: KILL, filesOnly: true })),
  ...['write', 'writev', 'openat'].map((call) => ({ call, effect: KILL, filesOnly: false })),
]

/** What the system may say of each call. A `retval` of 1 is a disk that drops all but a byte. */
const FAILURES: Readonly<Record<string, readonly string[]>> = {
  write: ['error=EIO', 'error=ENOSPC', 'error=EDQUOT', 'retval=1'],
  pwrite64: ['error=EIO', 'error=ENOSPC', 'retval=1'],
  fdatasync: ['error=EIO', 'error=ENOSPC', 'error=EDQUOT'],
  fsync: ['error=EIO', 'error=ENOSPC'],
  rename: ['error=EIO', 'error=ENOSPC'],
  openat: ['error=EIO', 'error=ENOSPC', 'error=EMFILE'],
  unlink: ['error=EIO'],
  link: ['error=EIO', 'error=ENOSPC'],
  mkdir: ['error=EIO', 'error=ENOSPC'],
  ftruncate: ['error=EIO'],
}

export const ERROR_ARMS: readonly Arm[] = Object.entries(FAILURES).flatMap(([call, effects]) =>
  effects.map((effect) => ({ call, effect, filesOnly: true })),
)

/** Every arm with how often its call comes in one life of a broker, by the busiest thread. */
export async function measure(
  arms: readonly Arm[],
  site: CrashSite,
  seed: number,
): Promise<ReadonlyMap<Arm, number>> {
  const counts = new Map<Arm, number>()
  for (const filesOnly of [true, false]) {
    const some = arms.filter((arm) => arm.filesOnly === filesOnly)
    if (some.length === 0) continue
    const calls = [...new Set(some.map(({ call }) => call))]
    const broker = new StracedBroker(site.directory, site.traceFile, { calls, filesOnly })
    await liveThrough(broker, site, seed)
    const found = countCalls(await broker.trace())
    for (const arm of some) counts.set(arm, found.get(arm.call) ?? 0)
  }
  return counts
}

/**
 * So many points, all kinds of calls among them, and behind them some to spare; all there are, if
 * that is fewer.
 */
export function choosePoints(
  counts: ReadonlyMap<Arm, number>,
  { wanted, spare }: { readonly wanted: number; readonly spare: number },
  random: SeededRandom,
): Injection[] {
  const all = wanted + spare
  const arms = shuffled([...counts], random)
  const left = arms.map(([arm, count]) => shuffled(pointsOf(arm, count), random))
  const chosen: Injection[] = []
  // One of each kind first; then in turns, in which the frequent calls have a larger share.
  const shares = left.map((points) => Math.max(1, Math.round(Math.sqrt(points.length) / 4)))
  for (let turn = 0; chosen.length < all && left.some(({ length }) => length > 0); turn += 1) {
    for (const [index, points] of left.entries()) {
      const share = turn === 0 ? 1 : (shares[index] ?? 1)
      chosen.push(...points.splice(0, Math.min(share, all - chosen.length)))
    }
  }
  const [first, rest] = [chosen.slice(0, wanted), chosen.slice(wanted)]
  return [...shuffled(first, random), ...shuffled(rest, random)]
}

function pointsOf(arm: Arm, count: number): Injection[] {
  return Array.from({ length: count }, (_, index) => ({ ...arm, when: index + 1 }))
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  return items
    .map((item) => [random.chance(), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item)
}

function countCalls(trace: string): Map<string, number> {
  const ofThreads = new Map<string, number>()
  const most = new Map<string, number>()
  for (const line of trace.split('\n')) {
    const match = /^(\d+) +[\d.]+ (\w+)\(/.exec(line)
    if (match === null) continue
    const [, thread, call = ''] = match
    const count = (ofThreads.get(`${thread} ${call}`) ?? 0) + 1
    ofThreads.set(`${thread} ${call}`, count)
    most.set(call, Math.max(most.get(call) ?? 0, count))
  }
  return most
}
