// The store commands against real brokers and real directories: backed up under load, restored,
// checked, damaged, salvaged.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFile,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type TqClient } from '@tq/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { admin, adminOf } from '../../test/admin.ts'
import { aBroker, aBrokerOn } from '../../test/broker-process.ts'
import { aClient } from '../../test/sdk.ts'
import type { BackupReport, CheckReport } from './store-report.ts'

const GOLDEN = fileURLToPath(new URL('../../../broker/test/golden-store/format-1', import.meta.url))
const UPKEEP = fileURLToPath(new URL('../../../broker/dist/upkeep/main.js', import.meta.url))
const ADMIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

interface Listed {
  readonly report: { readonly findings: Readonly<Record<string, number>> }
  readonly findings: readonly { readonly code: string }[]
  readonly truncated: boolean
}

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

/** A data directory with every kind of record. */
async function aGoldenStore(): Promise<string> {
  const data = join(await aFolder(), 'data')
  await cp(GOLDEN, data, { recursive: true })
  return data
}

async function removeFromLevel(data: string, pattern: RegExp): Promise<void> {
  const names = await readdir(join(data, 'store'))
  for (const name of names.filter((each) => pattern.test(each))) {
    await rm(join(data, 'store', name))
  }
}

async function change(path: string, how: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(path)
  how(bytes)
  await writeFile(path, bytes)
}

/** In the block of the payloads. */
async function damageTable(data: string): Promise<void> {
  const names = await readdir(join(data, 'store'))
  const name = names.find((each) => each.endsWith('.ldb')) ?? ''
  await change(join(data, 'store', name), (bytes) => bytes.fill(7, 2_500, 2_520))
}

describe('the advice of a broker that does not start', () => {
  it.each<[string, (data: string) => Promise<unknown>]>([
    ['CURRENT is missing', (data) => rm(join(data, 'store', 'CURRENT'))],
    ['its identity is missing', (data) => rm(join(data, 'identity'))],
    ['a table is damaged', (data) => damageTable(data)],
    [
      'LevelDB drops a part of its log',
      async (data) => {
        await runAndKill(data)
        const log = (await readdir(join(data, 'store'))).filter((name) => name.endsWith('.log'))
        await change(join(data, 'store', log.sort().at(-1) ?? ''), (bytes) => bytes.fill(7, 10, 30))
      },
    ],
    [
      'the newest commits are gone',
      async (data) => {
        await runAndKill(data)
        await removeFromLevel(data, /\.log$/)
      },
    ],
  ])('leads to one that does, if %s', async (_, damage) => {
    const data = await aGoldenStore()
    await damage(data)

    const reason = await aBrokerOn(data).then(
      () => 'it has started',
      (error: unknown) => String(error),
    )
    // As in the line of its log, which is JSON.
    const commands = [...reason.matchAll(/\\"tq-admin ([^"]*)\\"/g)].map(([, text]) => text ?? '')
    const typed = (verb: string): string[] =>
      commands.find((text) => text.startsWith(`store ${verb} `))?.split(' ') ?? []
    const checked = await admin(typed('check'))
    const salvaged = await admin(typed('salvage'))
    const client = aClient(await aBrokerOn(`${data}-salvaged`))

    expect(checked.code).toBe(1)
    expect(salvaged).toMatchObject({ code: 1, err: '' })
    expect(await client.ping()).toBeDefined()
  })

  it('on a restore that was cut off leads to one that is whole', async () => {
    const data = await aGoldenStore()
    const folder = dirname(data)
    const file = join(folder, 'backup')
    const target = join(folder, 'new')
    await admin(['store', 'backup', file, '--offline', data])
    await killUpkeep(['restore', '--', file, target])

    const reason = String(await aBrokerOn(target).catch((error: unknown) => error))
    expect(reason).toContain(`the restore of ${file} into ${target} was cut off`)
    expect(reason).toContain(`rm -r ${target}`)
    await rm(target, { recursive: true })
    const again = await admin(['store', 'restore', file, '--to', target])

    expect(again).toMatchObject({ code: 0, err: '' })
    expect(await aClient(await aBrokerOn(target)).ping()).toBeDefined()
  })
})

/** A broker with some work, ended where it stands. */
async function runAndKill(data: string): Promise<void> {
  const broker = await aBrokerOn(data)
  await enqueue(aClient(broker), 3, 'x'.repeat(200))
  await broker.kill()
}

/** Kills the upkeep program at the first line that it writes. */
async function killUpkeep(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [UPKEEP, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('a backup to stdout', () => {
  it('is the same as one in a file, and says on stderr what is in it', async () => {
    const data = await aGoldenStore()
    const args = [ADMIN, 'store', 'backup', '-', '--offline', data]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })

    const [bytes, said, [code]] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])

    expect(code).toBe(0)
    expect(said).toContain('every checksum fits')
    const file = `${data}.backup`
    await writeFile(file, bytes)
    expect(await admin(['store', 'verify', file])).toMatchObject({ code: 0 })
  })

  it('is refused where only text goes, and is in the help', async () => {
    const data = await aGoldenStore()

    const onScreen = await admin(['store', 'backup', '-', '--offline', data], { isScreen: true })
    const help = await admin(['store', 'backup', '--help'])

    expect(onScreen.code).toBe(2)
    expect(help.out).toContain('- for stdout')
  })
})

describe('store check and salvage', () => {
  it('count all that they find, and list as much of each kind as is asked for', async () => {
    const data = await aGoldenStore()
    await damageTable(data)
    const list = async (...args: readonly string[]): Promise<Listed> =>
      JSON.parse((await admin(['store', 'check', data, ...args, '-o', 'json'])).out) as Listed

    const some = await list('--limit', '1')
    const all = await list('--all')

    expect(some).toMatchObject({ truncated: true, report: { findings: all.report.findings } })
    expect(some.findings.filter(({ code }) => code === 'missing')).toHaveLength(1)
    expect(all.truncated).toBe(false)
    const count = all.report.findings['missing'] ?? 0
    expect(all.findings.filter(({ code }) => code === 'missing')).toHaveLength(count)
  })

  it('say that an option is required, and which epoch another salvage needs', async () => {
    const data = await aGoldenStore()
    const [restore, salvage] = [
      await admin(['store', 'restore', '--help']),
      await admin(['store', 'salvage', '--help']),
    ]
    const salvaged = await admin(['store', 'salvage', data, '--to', `${data}-1`])
    const again = [data, '--to', `${data}-2`, '--epoch-min', '2000', '-o', 'json']
    const second = await admin(['store', 'salvage', ...again])

    expect(restore.out).toContain('store restore [options] <file> --to <dir>')
    expect(salvage.out).toContain('store salvage [options] <dir> --to <newdir>')
    expect(salvaged.out).toMatch(/^tokens .*epoch 1002 .*--epoch-min/m)
    expect(reported<{ epoch: number }>(second.out).epoch).toBe(2_000)
  })

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
    expect(damaged.out).toMatch(/^unopenable {2}1 finding\n .*\n .*key .*\n {2}to do: restore/m)
    expect(damaged.out).toMatch(/^start .*tq-admin store salvage/m)
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

  it('are as JSON where that is asked for, with a code and an exit code for each cause', async () => {
    const data = await aGoldenStore()
    const folder = dirname(data)
    const outside = join(folder, 'none')
    await writeFile(join(folder, 'text'), 'x')

    for (const [args, code, exitCode] of [
      [['check', outside], 'not-found', 3],
      [['verify', join(folder, 'text')], 'bad-backup', 1],
      [['restore', join(folder, 'none'), '--to', join(folder, 'new')], 'not-found', 3],
      [['restore', join(folder, 'text'), '--to', data], 'occupied', 4],
      [['salvage', data, '--to', join(data, 'new')], 'usage', 2],
      [['backup', join(folder, 'text'), '--offline', data], 'occupied', 4],
      [['backup', join(folder, 'no', 'b'), '--offline', data], 'not-found', 3],
    ] as const) {
      const ran = await admin(['store', ...args, '-o', 'json'])

      expect(ran, args.join(' ')).toMatchObject({ code: exitCode, err: '' })
      const { error } = JSON.parse(ran.out) as { readonly error: Record<string, unknown> }
      expect(error).toEqual({ code, message: expect.any(String) as string })
    }
    expect(await readdir(folder)).not.toContain('new')
  })

  it('are told apart from findings if nothing can be done', async () => {
    const data = await aGoldenStore()
    await writeFile(join(data, 'identity'), '{"formatVersion":1,"state":"restoring"}')

    const salvaged = await admin(['store', 'salvage', data, '--to', `${data}-new`])
    const checked = await admin(['store', 'check', data, '-o', 'json'])

    expect(salvaged).toMatchObject({ code: 10, err: expect.stringContaining('rm -r') as string })
    expect(checked.code).toBe(1)
    expect(reported<CheckReport>(checked.out).findings).toEqual({ unfinished: 1 })
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
