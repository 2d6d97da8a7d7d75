// T7: disks of 96 MiB that get full; needs root to mount them.

import { expect, it } from 'vitest'
import { MountedDisk } from '../mounted-disk.ts'
import { DISK_MIB_MIN, fillDisk, purgeFullDisk } from './full-disk.ts'

/** It takes seconds; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 180_000

const kinds = (['tmpfs', 'ext4'] as const).filter((kind) => {
  const missing = MountedDisk.missing(kind)
  if (missing !== undefined) process.stderr.write(`T7 on ${kind} is skipped: ${missing}\n`)
  return missing === undefined
})

it.skipIf(kinds.length === 0)(
  `I1: a full disk (${kinds.join(', ')}) refuses new work first, loses nothing, and needs nobody`,
  async () => {
    const disks = kinds.map((kind) => ({ disk: { kind, mib: DISK_MIB_MIN }, seed: 1 }))

    const found = await Promise.all(disks.map((one) => fillDisk(one)))

    expect(found.flat()).toEqual([])
  },
  PATIENCE_MS,
)

it.skipIf(!kinds.includes('tmpfs'))(
  'enqueue is taken again, without a restart, once the tasks that filled the disk are purged',
  async () => {
    const disk = { kind: 'tmpfs', mib: DISK_MIB_MIN } as const

    expect(await purgeFullDisk({ disk, seed: 1 })).toEqual([])
  },
  PATIENCE_MS,
)
