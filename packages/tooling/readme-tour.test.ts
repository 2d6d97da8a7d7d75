// Runs the README's first tour as a reader would type it, and looks at what it prints.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from './repository.ts'

const run = promisify(execFile)
const HEADING = '## The first five minutes'
/** A terminal has aliases and job control; a script has neither unless it asks. Nothing outlives it. */
const PRELUDE = `shopt -s expand_aliases
set -m -e -u -o pipefail
trap 'kill -9 $(jobs -p) 2> /dev/null || true' EXIT`

let directory = ''

beforeAll(async () => {
  // Links to the checkout: the tour's own files go elsewhere, so that it can run twice at once.
  directory = await mkdtemp(join(tmpdir(), 'tq-tour-'))
  for (const name of ['packages', 'node_modules', 'README.md']) {
    await symlink(join(ROOT, name), join(directory, name))
  }
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('the tour of the README', () => {
  it('works as it stands', async () => {
    const port = await freePort()
    const script = `${PRELUDE}\n${await tour()}`
    const { stdout } = await run('bash', ['-c', `exec bash <(printf '%s' "$TOUR")`], {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOME: directory,
        TOUR: script,
        TQ_PORT: String(port),
        TQ_HTTP_PORT: '0',
        TQ_ADDRESS: `127.0.0.1:${port}`,
        NO_COLOR: '1',
      },
    })

    const digest = (await run('sha256sum', ['README.md'], { cwd: ROOT })).stdout.slice(0, 64)
    expect(stdout).toContain(digest)
    expect(stdout).toMatch(/attempt 1 did not work/)
    expect(stdout).toMatch(/"slept 5 s"/)
    expect(stdout).toMatch(/attempt\s+1 \(0 of 5 failures, 0 of 3 losses\)/)
    expect(stdout).toMatch(/hash-file\s+completed/)
  })
})

/** The shell blocks of the tour in one piece; the build has been done by whoever runs the tests. */
async function tour(): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const section = readme.slice(readme.indexOf(HEADING), readme.indexOf('\n## In a program'))
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)]
  expect(blocks.length).toBeGreaterThan(3)
  return blocks
    .map(([, block]) => block ?? '')
    .join('\n')
    .replace(/^make build\n/m, '')
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
