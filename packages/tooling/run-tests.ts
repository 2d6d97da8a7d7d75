// Runs the tests and ends with one line that a script can read: how many passed, how many failed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countTests } from './test-count.ts'

const CONFIG = fileURLToPath(new URL('vitest.config.ts', import.meta.url))

const directory = await mkdtemp(join(tmpdir(), 'tq-tests-'))
const report = join(directory, 'report.json')
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const args = ['run', '-c', CONFIG, ...reporters, ...process.argv.slice(2)]
const [code] = (await once(spawn('vitest', args, { stdio: 'inherit' }), 'close')) as [number | null]
const text = await readFile(report, 'utf8').catch(() => '')
await rm(directory, { recursive: true, force: true })
const { passed, failed } = countTests(text, code === 0)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = code ?? 1
