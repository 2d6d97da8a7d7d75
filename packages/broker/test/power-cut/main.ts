// Power cuts from the command line: COUNT (cuts; 200), SEED (of the first disk). Each disk is cut twenty
// times; the kinds that this machine has take turns.

import { type DiskOptions, MountedDisk } from '../mounted-disk.ts'
import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { cutPowerAgainAndAgain } from './power-cut.ts'

const CUTS_PER_DISK = 20
const DISKS: readonly DiskOptions[] = [
  { kind: 'ext4', mib: 512 },
  { kind: 'ext4', mib: 512, mount: 'data=writeback' },
  { kind: 'xfs', mib: 512 },
  { kind: 'btrfs', mib: 512 },
]

const count = parameters.count('COUNT', 200)
const firstSeed = parameters.number('SEED', 1)

const missing = new Map(DISKS.map(({ kind }) => [kind, MountedDisk.missing(kind)]))
for (const [kind, why] of missing) {
  if (why !== undefined) process.stdout.write(`${kind}: skipped, ${why}\n`)
}
const disks = DISKS.filter(({ kind }) => missing.get(kind) === undefined)
const sinceMs = performance.now()
let cuts = 0
let acknowledgedTotal = 0
let violationCount = 0
for (let round = 0; cuts < count && disks.length > 0; round += 1) {
  const disk = disks[round % disks.length] as DiskOptions
  const seed = firstSeed + round
  let acknowledged = 0
  const violations = await cutPowerAgainAndAgain({
    disk,
    seed,
    cuts: Math.min(CUTS_PER_DISK, count - cuts),
    onCut: (cut) => {
      cuts += 1
      acknowledged = cut.acknowledged
    },
  })
  acknowledgedTotal += acknowledged
  violationCount += violations.length
  for (const violation of violations) process.stderr.write(`VIOLATION ${violation}\n`)
  const name = `${disk.kind}${disk.mount === undefined ? '' : ` ${disk.mount}`}`
  process.stdout.write(
    `${cuts}/${count} cuts, ${name}, seed ${seed}: ${acknowledged} acknowledged, ${violations.length} violations\n`,
  )
}
const seconds = Math.round((performance.now() - sinceMs) / 1_000)
process.stdout.write(
  `power cut: ${cuts} cuts, ${acknowledgedTotal} acknowledged, ${violationCount} violations, ${seconds} s\n`,
)
if (cuts === 0) {
  process.stdout.write('no verdict: nothing was cut\n')
  process.exitCode = EXIT_NO_VERDICT
}
if (violationCount > 0) process.exitCode = EXIT_VIOLATED
