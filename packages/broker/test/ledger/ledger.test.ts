// The ledger finds nothing wrong with a broker that was killed, and everything that was done to one.

import { cp, rm } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { aBroker } from '../end-to-end/test-broker.ts'
import { eventually } from '../end-to-end/eventually.ts'
import { FAMILIES } from '../../src/storage/key.ts'
import { LevelDirectory } from '../level-directory.ts'
import { checkDataDirectory } from './data-directory-check.ts'
import { Ledger } from './ledger.ts'
import { violationsOf } from './ledger-report.ts'

const OPERATIONS = 300

it('finds every acknowledged operation again after kills in the middle of the load', async () => {
  const broker = await aBroker()
  const ledger = new Ledger()
  for (const round of [1, 2]) {
    const driven = ledger.drive(broker.address, { seed: round })
    await eventually(() => {
      expect(ledger.acknowledgedCount).toBeGreaterThan(round * OPERATIONS)
    })
    await broker.kill()
    await driven
    expect(await checkDataDirectory(broker.directory)).toEqual([])
    await broker.start()

    const report = await ledger.verify(broker.address)

    expect(violationsOf(report)).toEqual([])
    expect(report.acknowledged).toBeGreaterThan(round * OPERATIONS)
  }
})

it('finds out that a broker went back to an earlier state, tokens and all', async () => {
  const broker = await aBroker()
  const ledger = new Ledger()
  await ledger.drive(broker.address, { seed: 1, operations: OPERATIONS })
  await broker.stop()
  const earlier = `${broker.directory}-earlier`
  await cp(broker.directory, earlier, { recursive: true })
  await broker.start()
  await ledger.drive(broker.address, { seed: 2, operations: OPERATIONS })
  await broker.stop()
  await rm(broker.directory, { recursive: true })
  await cp(earlier, broker.directory, { recursive: true })
  await broker.start()

  const report = await ledger.verify(broker.address)

  expect(report.lost.length).toBeGreaterThan(10)
  expect(report.wrong.length).toBeGreaterThan(5)
  expect(report.tokenRepeats.length).toBeGreaterThan(0)
})

it('finds out that the offline check has a record without the one that belongs to it', async () => {
  const broker = await aBroker()
  await new Ledger().drive(broker.address, { seed: 1, operations: OPERATIONS })
  await broker.stop()
  expect(await checkDataDirectory(broker.directory)).toEqual([])
  await new LevelDirectory(broker.directory).withLevel(async (level) => {
    const family = { gte: Uint8Array.of(FAMILIES.payload), lt: Uint8Array.of(FAMILIES.payload + 1) }
    const [key] = await level.keys({ ...family, limit: 1 }).all()
    await level.del(key as Uint8Array, { sync: true })
  })

  expect(await checkDataDirectory(broker.directory)).toEqual([
    expect.stringMatching(/^02[0-9a-f]+ is missing$/),
  ])
})
