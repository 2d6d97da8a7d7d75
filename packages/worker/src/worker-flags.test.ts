// Flags over environment over defaults, and what is said of wrong ones.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { UsageError } from './handler-module.ts'
import { readWorkerFlags, type WorkerFlags } from './worker-flags.ts'

const directory = mkdtempSync(join(tmpdir(), 'tq-flags-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const LEAST = ['--module', 'h.mjs', '--queues', 'mail,images']

async function flagsOf(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<WorkerFlags> {
  const line = await readWorkerFlags(argv, environment)
  if (line.kind !== 'run') throw new Error(`printed: ${line.text}`)
  return line.flags
}

describe('worker flags', () => {
  it('fills in what was not said', async () => {
    const flags = await flagsOf(LEAST)

    expect(flags).toEqual({
      module: 'h.mjs',
      queues: ['mail', 'images'],
      addresses: ['127.0.0.1:7461'],
      name: `tq-worker-${process.pid}`,
      labels: {},
      concurrency: 16,
      leaseMs: 15_000,
      drainMs: 30_000,
      order: 'round',
      minPriority: undefined,
      token: undefined,
      logLevel: 'info',
    })
  })

  it('puts flags over the environment', async () => {
    const environment = { TQ_CONCURRENCY: '3', TQ_LEASE_MS: '2000', TQ_QUEUES: 'a', TQ_MODULE: 'b' }
    const flags = await flagsOf(['--concurrency', '5'], environment)

    expect(flags).toMatchObject({ concurrency: 5, leaseMs: 2_000, queues: ['a'], module: 'b' })
  })

  it('reads labels as the literals they look like', async () => {
    const flags = await flagsOf([...LEAST, '--label', 'gpu=true', '--label', 'cores=8,zone=a'])

    expect(flags.labels).toEqual({ gpu: true, cores: 8, zone: 'a' })
  })

  it('takes order, lowest priority and several addresses', async () => {
    const flags = await flagsOf([
      ...LEAST,
      '--order=strict',
      '--min-priority=100',
      '--address=a:1,b:2',
    ])

    expect(flags).toMatchObject({ order: 'strict', minPriority: 100, addresses: ['a:1', 'b:2'] })
  })

  it('reads the token from a file or the environment, never from a flag', async () => {
    const file = join(directory, 'token')
    writeFileSync(file, 'secret\n')

    expect((await flagsOf([...LEAST, '--token-file', file])).token).toBe('secret')
    expect((await flagsOf(LEAST, { TQ_TOKEN: 'other' })).token).toBe('other')
    await expect(flagsOf([...LEAST, '--token', 'x'])).rejects.toThrow(UsageError)
  })

  it.each([
    [['--queues', 'mail'], /--module is missing/],
    [['--module', 'h.mjs'], /--queues is missing/],
    [[...LEAST, '--concurrency', 'many'], /--concurrency must be a whole number, not "many"/],
    [[...LEAST, '--order', 'random'], /--order must be round or strict/],
    [[...LEAST, '--label', 'gpu'], /--label must be name=value, not "gpu"/],
    [[...LEAST, '--label', '=1'], /--label must be name=value/],
    [[...LEAST, '--colour', 'red'], /colour/],
    [[...LEAST, '--token-file', '/nowhere/token'], /--token-file: ENOENT/],
  ])('says what is wrong with %j', async (argv, message) => {
    await expect(flagsOf(argv)).rejects.toThrow(message)
    await expect(flagsOf(argv)).rejects.toThrow(UsageError)
  })

  it('prints help and the version instead of running', async () => {
    const help = await readWorkerFlags(['--help'], {})
    const version = await readWorkerFlags(['--version'], {})

    expect(help).toMatchObject({ kind: 'print', text: expect.stringContaining('--module') })
    expect(version).toMatchObject({ kind: 'print', text: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  })
})
