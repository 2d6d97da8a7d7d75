// T6: the power of a real file system goes; needs root, loop devices and mkfs.ext4.

import { expect, it } from 'vitest'
import { MountedDisk } from '../mounted-disk.ts'
import { cutPowerAgainAndAgain } from './power-cut.ts'

/** It takes seconds; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 120_000

const missing = MountedDisk.missing('ext4')
if (missing !== undefined) process.stderr.write(`T6 is skipped: ${missing}\n`)

it.skipIf(missing !== undefined).each([
  { name: 'ext4', disk: { kind: 'ext4', mib: 192 } },
  { name: 'ext4 with data=writeback', disk: { kind: 'ext4', mib: 192, mount: 'data=writeback' } },
] as const)(
  'I1, I8: a power cut on $name loses nothing that was acknowledged',
  async ({ disk }) => {
    let acknowledged = 0

    const violations = await cutPowerAgainAndAgain({
      disk,
      seed: 1,
      cuts: 2,
      onCut: (cut) => (acknowledged = cut.acknowledged),
    })

    expect(violations).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
  },
  PATIENCE_MS,
)
