// One holder at a time, whoever races for it and however the last one went.
import { systemRandom } from '@tq/core'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bundleChild, Child } from '../../test/child-process.ts'
import type { Attempt } from '../../test/children/lock-contender.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { DirectoryLock } from './directory-lock.ts'
import { thisProcess, type ProcessIdentity } from './process-identity.ts'

const CONTENDER_COUNT = 20
const lockOn = (directory: string): DirectoryLock => new DirectoryLock(directory, systemRandom)

/** Leaves the lock as a process would that ended without releasing it. */
async function leaveLock(directory: string, number: number, text: string): Promise<void> {
  await mkdir(join(directory, 'lock'), { recursive: true })
  await writeFile(join(directory, 'lock', String(number)), text)
}

async function deadProcess(): Promise<ProcessIdentity> {
  return { ...(await thisProcess()), startTime: '1' }
}

describe('DirectoryLock', () => {
  it('is refused, with the pid of its holder, until it is released', async () => {
    const directory = await temporaryDirectory()
    const [first, second] = [lockOn(directory), lockOn(directory)]
    await first.acquire()

    await expect(second.acquire()).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`in use by process ${process.pid}.`),
    })

    await first.release()
    await second.acquire()
  })

  it('may be released before it is taken, and twice', async () => {
    const directory = await temporaryDirectory()
    const [first, second] = [lockOn(directory), lockOn(directory)]
    await first.release()
    await first.acquire()
    await first.release()

    await second.acquire()
    await first.release()

    await expect(lockOn(directory).acquire()).rejects.toMatchObject({ code: 'LOCKED' })
  })

  it('is released in a directory that has gone', async () => {
    const directory = join(await temporaryDirectory(), 'data')
    await mkdir(directory)
    const lock = lockOn(directory)
    await lock.acquire()
    await rm(directory, { recursive: true })

    await expect(lock.release()).resolves.toBeUndefined()
  })

  it('does not outlive a boot, a power cut or its container', async () => {
    const self = await thisProcess()
    const gone = [
      JSON.stringify({ ...self, bootId: 'another' }),
      JSON.stringify({ ...self, pidNamespace: 'pid:[1]' }),
      JSON.stringify(await deadProcess()),
      '{"pid":1}',
      '{"pid":1,"startTime":"1"}',
      '\0\0\0\0',
      '',
    ]
    for (const text of gone) {
      const directory = await temporaryDirectory()
      await leaveLock(directory, 3, text)

      await lockOn(directory).acquire()

      expect(await readdir(join(directory, 'lock'))).toEqual(['3', '4'])
    }
  })

  it('keeps no more than two numbers, private to its user', async () => {
    const directory = await temporaryDirectory()
    for (let round = 0; round < 12; round += 1) {
      const lock = lockOn(directory)
      await lock.acquire()
      await lock.release()
    }

    const names = await readdir(join(directory, 'lock'))

    expect(names.toSorted()).toEqual(['11', '12'])
    expect((await stat(join(directory, 'lock'))).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, 'lock', '12'))).mode & 0o777).toBe(0o600)
  })

  it('passes on what the file system says', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'lock', '1'), { recursive: true })

    await expect(lockOn(directory).acquire()).rejects.toThrow(/EISDIR/)
  })

  it('is taken by one of 30 at once, from a dead holder, 20 times over', async () => {
    const directory = await temporaryDirectory()
    const dead = JSON.stringify(await deadProcess())
    for (let round = 1; round <= 20; round += 1) {
      await leaveLock(directory, round * 10, dead)

      const tries = Array.from({ length: 30 }, () => lockOn(directory).acquire())
      const outcomes = await Promise.allSettled(tries)

      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    }
  })

  it('is taken by one of 20 processes at once, and by the next after its death', async () => {
    const directory = await temporaryDirectory()
    const bundle = await bundleChild('lock-contender.ts')
    const start = (): Child<Attempt> => new Child(bundle, { args: [directory] })
    const contenders = Array.from({ length: CONTENDER_COUNT }, start)
    onTestFinished(async () => void (await Promise.all(contenders.map((child) => child.kill()))))
    await Promise.all(contenders.map((child) => child.next()))

    for (let round = 0; round < 8; round += 1) {
      for (const child of contenders) child.send({ kind: 'acquire' })
      const attempts = await Promise.all(contenders.map((child) => child.next()))

      const winners = contenders.filter((_, index) => attempts[index]?.outcome === 'won')
      expect(winners).toHaveLength(1)
      const [winner] = winners as [Child<Attempt>]
      const refused = attempts.filter((attempt) => attempt.outcome === 'lost')
      for (const { said } of refused) expect(said).toContain(`by process ${winner.pid}.`)
      contenders.splice(contenders.indexOf(winner), 1)
      await winner.kill()
    }
  })
})
