// Full disks from the command line: COUNT (disks; 200), SEED (of the first). Kinds take turns.

import { type DiskKind, MountedDisk } from '../mounted-disk.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { DISK_MIB_MIN, fillDisk, purgeFullDisk } from './full-disk.ts'

const DISK_MIB_MAX = 160

const count = Number(process.env['COUNT'] ?? 200)
const firstSeed = Number(process.env['SEED'] ?? 1)

const kinds: DiskKind[] = []
for (const kind of ['tmpfs', 'ext4', 'xfs', 'btrfs'] as const) {
  const missing = MountedDisk.missing(kind)
  if (missing === undefined) kinds.push(kind)
  else process.stdout.write(`${kind}: skipped, ${missing}\n`)
}
const sinceMs = performance.now()
let disks = 0
let violationCount = 0
for (let seed = firstSeed; seed < firstSeed + count && kinds.length > 0; seed += 1) {
  const kind = kinds[seed % kinds.length] as DiskKind
  const mib = new SeededRandom(seed, 'full-disk').between(DISK_MIB_MIN, DISK_MIB_MAX)
  const options = { disk: { kind, mib }, seed }
  const violations = [...(await fillDisk(options)), ...(await purgeFullDisk(options))]
  disks += 1
  violationCount += violations.length
  for (const violation of violations) process.stderr.write(`VIOLATION ${violation}\n`)
  const verdict = violations.length === 0 ? 'ok' : 'BAD'
  process.stdout.write(`${disks}/${count} ${kind} of ${mib} MiB, seed ${seed}: ${verdict}\n`)
}
const seconds = Math.round((performance.now() - sinceMs) / 1_000)
process.stdout.write(`full disk: ${disks} disks, ${violationCount} violations, ${seconds} s\n`)
if (violationCount > 0) process.exitCode = 1
