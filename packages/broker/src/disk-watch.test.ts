// Watching how full the disk is.

import { rm } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ManualScheduler } from '../test/manual-scheduler.ts'
import { temporaryDirectory } from '../test/temporary-directory.ts'
import { until } from '../test/until.ts'
import { DiskWatch } from './disk-watch.ts'

describe('DiskWatch', () => {
  it('looks at the start and every now and then, until it is stopped', async () => {
    const scheduler = new ManualScheduler()
    const watch = new DiskWatch(await temporaryDirectory(), scheduler)
    expect(watch.freeBytes).toBe(Infinity)

    await watch.start()
    expect(watch.freeBytes).toBeGreaterThan(0)
    expect(watch.freeBytes).toBeLessThan(Infinity)

    scheduler.pass(2_000)
    await until(() => scheduler.waitingCount === 1)
    watch.stop()
    expect(scheduler.waitingCount).toBe(0)
  })

  it('counts what was written since it looked, and looks at once when that is much', async () => {
    const watch = new DiskWatch(await temporaryDirectory(), new ManualScheduler())
    await watch.start()
    const { freeBytes } = watch

    watch.wrote(1_000_000)
    expect(watch.freeBytes).toBe(freeBytes - 2_000_000)
    watch.wrote(1_000_000)
    expect(watch.freeBytes).toBe(freeBytes - 4_000_000)
    watch.wrote(2_500_000_000)
    expect(watch.freeBytes).toBeLessThan(freeBytes - 4_000_000_000)

    await until(() => watch.freeBytes > freeBytes - 4_000_000_000)
  })

  it('does not look again if it is stopped while it looks', async () => {
    const scheduler = new ManualScheduler()
    const watch = new DiskWatch(await temporaryDirectory(), scheduler)
    const looking = watch.start()

    watch.stop()

    await looking
    expect(scheduler.waitingCount).toBe(0)
  })

  it('keeps what it knew if it cannot look', async () => {
    const scheduler = new ManualScheduler()
    const directory = await temporaryDirectory()
    const watch = new DiskWatch(directory, scheduler)
    await watch.start()
    const { freeBytes } = watch

    await rm(directory, { recursive: true })
    scheduler.pass(2_000)
    await until(() => scheduler.waitingCount === 1)

    expect(watch.freeBytes).toBe(freeBytes)
  })
})
