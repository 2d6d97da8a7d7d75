// The comparison end to end, with each peer that is installed here.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PEER_NAMES, peerNamed } from './catalogue.ts'
import type { Sample } from './sample.ts'

// As built, as people run it; `make test` builds first.
const MAIN = fileURLToPath(new URL('../../dist/peers/main.js', import.meta.url))
/** Of a run; a warm-up by single requests comes before. */
const TASKS = 100
/** A busy machine starts RabbitMQ slowly; in ms. */
const RUN_MS = 100_000
/** One of each kind: the variants differ in a flag of their server. */
const TESTED = ['tq', 'beanstalkd-f50', 'bullmq-always', 'rabbit-quorum']

const missing = new Map<string, string>()
for (const name of TESTED) {
  const peer = await peerNamed(name)
  if (peer.version() === undefined) missing.set(name, `not here: ${peer.install}`)
}
if (!existsSync(MAIN)) process.stdout.write('skipped: the comparison is not built (make build)\n')
for (const [name, reason] of missing) process.stdout.write(`skipped: ${name}, ${reason}\n`)

describe.skipIf(!existsSync(MAIN)).concurrent('a comparison', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tq-peers-test-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  for (const name of TESTED) {
    const timeout = RUN_MS + 10_000
    it.skipIf(missing.has(name))(
      `runs ${name}, each task once`,
      { timeout },
      async ({ expect }) => {
        const out = join(folder, `${name}.json`)
        // Nothing is repeated: the machine is busy with other tests, and nobody reads the figures.
        const flags = ['--rounds=1', '--other-max=100000', '--phase=mixed,latency']
        const argv = [MAIN, `--peers=${name}`, `--out=${out}`, `--tasks=${TASKS}`, ...flags]
        const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: RUN_MS })
        expect(stdout).toContain(`| ${name} |`)
        const result = JSON.parse(readFileSync(out, 'utf8')) as {
          readonly samples: readonly Sample[]
          readonly voids: readonly string[]
        }
        expect(result.voids).toEqual([])
        expect(result.samples.map((sample) => sample.phase)).toEqual(['mixed', 'latency'])
        for (const { figures } of result.samples) {
          for (const figure of Object.values(figures)) expect(figure).toBeGreaterThanOrEqual(0)
        }
      },
    )
  }
})

it('every peer of the catalogue has the name under which it stands there', async () => {
  const names = await Promise.all(PEER_NAMES.map(async (name) => (await peerNamed(name)).name))
  expect(names).toEqual(PEER_NAMES)
})
