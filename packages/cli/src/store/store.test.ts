// The store commands against real brokers and real directories: backed up under load, restored,
// checked, damaged, salvaged.

import {
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TqClient } from '@tq/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { admin, adminOf } from '../../test/admin.ts'
import { aBroker, aBrokerOn } from '../../test/broker-process.ts'
import { aClient } from '../../test/sdk.ts'
import type { BackupReport, CheckReport } from './store-report.ts'

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-cli-store-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function enqueue(client: TqClient, count: number, payload: unknown): Promise<string[]> {
  const handles = await Promise.all(
    Array.from({ length: count }, () => client.enqueue('work', 'job', payload)),
  )
  return handles.map(({ id }) => id)
}

async function claimTokens(client: TqClient, max: number): Promise<readonly number[]> {
  const { tasks } = await client.claim(['work'], { max, waitMs: 5_000 })
  return tasks.map(({ token }) => token)
}

function reported<Report>(out: string): Report {
  return (JSON.parse(out) as { readonly report: Report }).report
}

describe('store backup and restore', () => {
  it('brings back what was acknowledged before, and gives no token twice', async () => {
    const broker = await aBroker()
    const client = aClient(broker)
    const folder = await aFolder()
    const file = join(folder, 'tq.backup')
    const before = await enqueue(client, 60, 'x'.repeat(20_000))
    const [held] = await claimTokens(client, 1)
    let isOver = false
    const during: string[] = []
    const load = (async () => {
      while (!isOver) during.push(...(await enqueue(client, 20, 'under load')))
    })()

    const ran = await adminOf(broker)('store', 'backup', file, '-o', 'json')
    isOver = true
    await load
    const after = await enqueue(client, 5, 'too late')
    const tokensAfter = await claimTokens(client, 50)
    await broker.stop()
    const target = join(folder, 'restored')
    const restored = await admin(['store', 'restore', file, '--to', target])
    const check = await admin(['store', 'check', target, '-o', 'json'])
    const second = aClient(await aBrokerOn(target))

    expect(ran.code).toBe(0)
    const { footer } = reported<BackupReport>(ran.out)
    expect(restored).toMatchObject({ code: 0, err: '' })
    expect(check.code).toBe(0)
    expect(reported<CheckReport>(check.out)).toMatchObject({ isSound: true, lsn: footer.lsn })
    const kept = await Promise.all(before.map((id) => second.get(id)))
    expect(kept.filter(({ state }) => state === 'queued')).toHaveLength(59)
    expect(kept.filter(({ lease }) => lease?.token === held)).toHaveLength(1)
    for (const id of after)
      await expect(second.get(id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const found = footer.entries['task'] ?? 0
    expect(found).toBeGreaterThanOrEqual(before.length)
    expect(found).toBeLessThanOrEqual(before.length + during.length)
    const tokens = await claimTokens(second, 50)
    expect(Math.min(...tokens)).toBeGreaterThan(Math.max(...tokensAfter))
  })

  it('leaves nothing behind when the broker is killed in the middle', async () => {
    const broker = await aBroker()
    const folder = await aFolder()
    const file = join(folder, 'tq.backup')
    for (let round = 0; round < 4; round += 1) {
      await enqueue(aClient(broker), 8, 'x'.repeat(900_000))
    }
    const running = adminOf(broker)('store', 'backup', file)
    for (let bytes = 0; bytes < 2 ** 20;) {
      const [name] = await readdir(folder)
      bytes = name === undefined ? 0 : (await stat(join(folder, name))).size
    }

    await broker.kill()
    const ran = await running

    expect(ran.code).toBe(6)
    expect(await readdir(folder)).toEqual([])
    await broker.start()
    expect(await adminOf(broker)('store', 'backup', file)).toMatchObject({ code: 0 })
    expect(await readdir(folder)).toEqual(['tq.backup'])
  })

  it('writes through no link and into no file that was laid where it writes first', async () => {
    const broker = await aBroker()
    const folder = await aFolder()
    const file = join(folder, 'tq.backup')
    const victim = join(folder, 'victim')
    await writeFile(victim, 'precious')
    await symlink(victim, `${file}.partial`)

    const online = await adminOf(broker)('store', 'backup', file)
    const { mode } = await stat(file)
    await broker.stop()
    const args = ['store', 'backup', file, '--force', '--offline', broker.dataDirectory]
    const offline = await admin(args)

    expect([online.code, offline.code]).toEqual([0, 0])
    expect(mode & 0o777).toBe(0o600)
    expect(await readFile(victim, 'utf8')).toBe('precious')
    expect((await readdir(folder)).sort()).toEqual(['tq.backup', 'tq.backup.partial', 'victim'])
  })

  it('writes over nothing unless told to, and tells a damaged backup from a whole one', async () => {
    const broker = await aBroker()
    const folder = await aFolder()
    const file = join(folder, 'tq.backup')
    await writeFile(file, 'mine')

    const refused = await adminOf(broker)('store', 'backup', file)
    const forced = await adminOf(broker)('store', 'backup', file, '--force')
    const verified = await admin(['store', 'verify', file])
    const bytes = await readFile(file)
    bytes[bytes.length - 20] = 7
    await copyFile(file, `${file}.damaged`)
    await writeFile(`${file}.damaged`, bytes)
    const damaged = await admin(['store', 'verify', `${file}.damaged`])
    const target = join(folder, 'data')
    const restored = await admin(['store', 'restore', `${file}.damaged`, '--to', target])

    expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('--force') as string })
    expect(forced).toMatchObject({ code: 0, err: '' })
    expect(verified.out).toMatch(/^backup .* every checksum fits$/m)
    expect(damaged).toMatchObject({ code: 1, err: expect.stringContaining('checksum') as string })
    expect(restored.code).toBe(1)
    expect((await readdir(folder)).sort()).toEqual(['tq.backup', 'tq.backup.damaged'])
  })
})

describe('store check and salvage', () => {
  it('check a store at rest, refuse a running one, and save a damaged one', async () => {
    const broker = await aBroker()
    const data = broker.dataDirectory
    await enqueue(aClient(broker), 3, 'x')

    const busy = await admin(['store', 'check', data])
    await broker.stop()
    const sound = await admin(['store', 'check', data])
    const offline = join(await aFolder(), 'tq.backup')
    const backup = await admin(['store', 'backup', offline, '--offline', data])
    await rm(join(data, 'store/CURRENT'))
    const damaged = await admin(['store', 'check', data])
    const target = join(await aFolder(), 'saved')
    const salvaged = await admin(['store', 'salvage', data, '--to', target])
    const client = aClient(await aBrokerOn(target))

    expect(busy).toMatchObject({
      code: 4,
      err: expect.stringContaining('in use by process') as string,
    })
    expect(sound).toMatchObject({ code: 0, err: '' })
    expect(sound.out).toMatch(/^store .* is sound$/m)
    expect(backup).toMatchObject({ code: 0, err: '' })
    expect(damaged.code).toBe(1)
    expect(damaged.out).toMatch(/^unopenable .*\n {2}key .*\n {2}to do restore a backup/m)
    expect(salvaged.code).toBe(1)
    expect(salvaged.out).toMatch(/^kept +task 3, payload 3/m)
    expect(await claimTokens(client, 3)).toHaveLength(3)
  })

  it('say what is not there', async () => {
    const folder = await aFolder()

    expect(await admin(['store', 'check', folder])).toMatchObject({ code: 3 })
    expect(await admin(['store', 'verify', join(folder, 'x')])).toMatchObject({ code: 3 })
    expect(await admin(['store', 'restore', join(folder, 'x')])).toMatchObject({ code: 2 })
  })

  it('say in words what the system refuses', async () => {
    const folder = await aFolder()
    const file = join(folder, 'file')
    await writeFile(file, 'x')

    const verified = await admin(['store', 'verify', folder])
    const checked = await admin(['store', 'check', file])

    expect(verified).toMatchObject({
      code: 1,
      err: expect.stringContaining('is no file') as string,
    })
    expect(checked).toMatchObject({
      code: 3,
      err: expect.stringContaining('Name a directory') as string,
    })
    expect(verified.err + checked.err).not.toContain('    at ')
  })
})
