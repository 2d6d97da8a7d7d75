// The walls between parts: each folder has one, and a planted bad import is refused by it.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ROOT } from './repository.ts'

const CONFIG = fileURLToPath(new URL('oxlintrc.json', import.meta.url))

/** For each file: imports that its wall refuses, and imports that it lets through. */
const WALLS: Readonly<Record<string, { readonly refused: string[]; readonly allowed: string[] }>> =
  {
    'core/src/planted.ts': {
      refused: ['@tq/client', '@tq/broker', 'node:fs', 'pino', '../../broker/src/engine/heap.ts'],
      allowed: ['./rank.ts', 'msgpackr', 'node:buffer'],
    },
    'core/src/protocol/planted.ts': {
      refused: ['node:net', '@tq/broker'],
      allowed: ['../rank.ts'],
    },
    'client/src/planted.ts': { refused: ['@tq/broker', '@tq/worker'], allowed: ['@tq/core'] },
    'worker/src/planted.ts': {
      refused: ['@tq/broker', '@tq/cli', '../../broker/src/broker.ts'],
      allowed: ['@tq/core', '@tq/client', 'pino'],
    },
    'cli/src/planted.ts': { refused: ['@tq/broker', '@tq/worker'], allowed: ['@tq/client'] },
    'bench/src/planted.ts': { refused: ['@tq/broker'], allowed: ['@tq/client'] },
    'broker/src/planted.ts': {
      refused: [
        'pino',
        'prom-client',
        'classic-level',
        'yargs',
        'yaml',
        'zod',
        '@tq/client',
        './upkeep/check-store.ts',
      ],
      allowed: ['./engine/engine.ts', './storage/level-store.ts', './net/server.ts', '@tq/core'],
    },
    'broker/src/config/planted.ts': {
      refused: ['yargs', '../net/server.ts', '../broker.ts', '../observe/log.ts'],
      allowed: ['zod', 'yaml', '../engine/queue.ts'],
    },
    'broker/src/config/flags.ts': { refused: ['zod', 'pino'], allowed: ['yargs'] },
    'broker/src/engine/planted.ts': {
      refused: [
        'node:fs',
        'pino',
        '../storage/key.ts',
        '../pipeline/partition.ts',
        '../config/config.ts',
      ],
      allowed: ['./heap.ts', '@tq/core'],
    },
    'broker/src/storage/planted.ts': {
      refused: [
        '../pipeline/partition.ts',
        '../observe/log.ts',
        '../config/config.ts',
        'prom-client',
      ],
      allowed: ['../engine/fact.ts', 'classic-level', 'node:fs/promises', '@tq/core'],
    },
    'broker/src/upkeep/planted.ts': {
      refused: ['../pipeline/partition.ts', '../config/config.ts', '../broker.ts', 'classic-level'],
      allowed: ['../storage/key.ts', '../engine/engine.ts', '../version.ts', 'node:fs', '@tq/core'],
    },
    'broker/src/access/planted.ts': {
      refused: ['../engine/fact.ts', '../config/config.ts', 'pino'],
      allowed: ['./token.ts', 'node:crypto', '@tq/core'],
    },
    'broker/src/observe/planted.ts': {
      refused: [
        '../storage/key.ts',
        '../pipeline/partition.ts',
        '../net/server.ts',
        '../version.ts',
      ],
      allowed: ['../engine/fact.ts', 'pino', 'prom-client'],
    },
    'broker/src/pipeline/planted.ts': {
      refused: ['../net/server.ts', '../http/endpoint.ts', '../broker.ts', 'classic-level'],
      allowed: ['../engine/engine.ts', '../storage/port.ts', '../observe/log.ts'],
    },
    'broker/src/net/planted.ts': {
      refused: [
        '../engine/engine.ts',
        '../storage/port.ts',
        '../observe/log.ts',
        '../http/endpoint.ts',
      ],
      allowed: ['../pipeline/pipeline.ts', '../access/loopback.ts', 'node:net'],
    },
    'broker/src/http/planted.ts': {
      refused: ['../engine/fact.ts', '../pipeline/pipeline.ts', '../net/server.ts', 'prom-client'],
      allowed: ['../access/loopback.ts', 'node:http', '@tq/core'],
    },
  }

/** Lints files and tells which lines were refused, as `path:line rule`. */
async function lint(files: Readonly<Record<string, string>>): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-walls-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory, dirname(path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  const args = ['-c', CONFIG, '-f', 'unix', directory]
  const output = await promisify(execFile)('oxlint', args, { cwd: ROOT }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  )
  return [...output.matchAll(/^(.*?):(\d+):\d+: .*\/[a-z]+\((.*)\)\]$/gm)].map(
    ([, path = '', line = '', rule = '']) =>
      `${path.slice(path.indexOf('tq-walls-')).replace(/^[^/]*\//, '')}:${line} ${rule}`,
  )
}

function importing(names: readonly string[]): string {
  const lines = names.map((name, at) => `import * as part${at} from '${name}'`)
  const used = names.map((_, at) => `part${at}`).join(', ')
  return `${lines.join('\n')}\n\nexport const parts: unknown = [${used}]\n`
}

describe('the walls', () => {
  it('refuse every planted bad import, and no good one', async () => {
    const files = Object.entries(WALLS).map(([path, { refused, allowed }]) => [
      path,
      importing([...refused, ...allowed]),
    ])
    const hits = (await lint(Object.fromEntries(files) as Record<string, string>)).filter((hit) =>
      hit.endsWith('no-restricted-imports'),
    )
    const planted = Object.entries(WALLS).flatMap(([path, { refused }]) =>
      refused.map((_, at) => `${path}:${at + 1} no-restricted-imports`),
    )

    expect(hits.sort()).toEqual(planted.sort())
  })

  it('stand around every folder of the broker', async () => {
    const config = JSON.parse(await readFile(CONFIG, 'utf8')) as {
      readonly overrides: readonly { readonly files: readonly string[] }[]
    }
    const entries = await readdir(join(ROOT, 'packages/broker/src'), { withFileTypes: true })
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    const walled = config.overrides.flatMap(({ files }) => files)

    for (const folder of folders) {
      expect(walled).toContain(`**/broker/src/${folder}/**`)
      expect(Object.keys(WALLS)).toContain(`broker/src/${folder}/planted.ts`)
    }
  })

  it('keep time, chance and the process out of where they have no place', async () => {
    const clock = 'export const now: number = Date.now()\n'
    const timer = 'export const timer: unknown = setTimeout(() => undefined, 1)\n'
    const exit = 'export const code: unknown = process.exit()\n'
    const hits = await lint({
      'broker/src/engine/clock.ts': clock,
      'broker/src/pipeline/timer.ts': timer,
      'broker/src/net/exit.ts': exit,
      'broker/src/main.ts': exit,
      'core/src/clock.ts': clock,
    })

    expect(hits.sort()).toEqual([
      'broker/src/engine/clock.ts:1 no-restricted-properties',
      'broker/src/net/exit.ts:1 no-restricted-properties',
      'broker/src/pipeline/timer.ts:1 no-restricted-globals',
    ])
  })
})
