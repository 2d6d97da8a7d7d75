// The power goes in the midst of a load, again and again; what was acknowledged must be there each time.

import { join } from 'node:path'
import { checkDataDirectory } from '../ledger/data-directory-check.ts'
import { Ledger } from '../ledger/ledger.ts'
import { violationsOf } from '../ledger/ledger-report.ts'
import { type DiskOptions, MountedDisk } from '../mounted-disk.ts'
import { RigBroker } from '../rig-broker.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'

export interface PowerCutOptions {
  readonly disk: DiskOptions
  readonly seed: number
  /** Cuts on this one disk, and of this one store. */
  readonly cuts: number
  readonly onCut?: (cut: PowerCut) => void
}

export interface PowerCut {
  readonly acknowledged: number
  readonly violations: readonly string[]
}

/** So long the load goes on before the power goes, in ms. */
const LOAD_MS_MIN = 50
const LOAD_MS_MAX = 800
const FLAGS = ['--limits-free-bytes-min=16MiB', '--storage-write-buffer-bytes=1MiB']

/** @returns What was not as it should be. */
export async function cutPowerAgainAndAgain(options: PowerCutOptions): Promise<string[]> {
  const random = new SeededRandom(options.seed, 'power-cut')
  const disk = await MountedDisk.create(options.disk)
  const broker = new RigBroker(join(disk.directory, 'data'), FLAGS)
  const ledger = new Ledger()
  const violations: string[] = []
  try {
    await broker.start()
    for (let cut = 1; cut <= options.cuts; cut += 1) {
      const seed = random.between(1, 2 ** 31)
      const driven = ledger.drive(broker.address, { seed })
      await passed(random.between(LOAD_MS_MIN, LOAD_MS_MAX))
      disk.cutPower(broker.process.pid)
      await broker.kill()
      await driven
      await disk.unmount()
      disk.mount()
      const found: string[] = []
      // Half of the stores are opened by the broker first: the check leaves nothing to be recovered.
      if (random.happens(0.5)) found.push(...(await checkDataDirectory(broker.directory)))
      await broker.start()
      found.push(...violationsOf(await ledger.verify(broker.address)))
      violations.push(...found.map((text) => `seed ${options.seed}, cut ${cut}: ${text}`))
      options.onCut?.({ acknowledged: ledger.acknowledgedCount, violations: found })
    }
  } finally {
    await broker.kill()
    await disk.remove()
  }
  return violations
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
