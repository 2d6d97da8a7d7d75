// T13 in short: the soak itself works, ends drained, and leaves no task behind. Trends take hours.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { soak } from './soak.ts'
import { verdictsOf } from './verdict.ts'

it('T13: a short soak measures a broker, drains it, and finds its store as small as before', async () => {
  const out = mkdtempSync(join(tmpdir(), 'tq-soak-'))
  onTestFinished(() => rmSync(out, { recursive: true, force: true }))

  const { samples, left, storeBefore, storeAfter } = await soak({
    packages: fileURLToPath(new URL('../../../', import.meta.url)),
    entry: fileURLToPath(new URL('./main.ts', import.meta.url)),
    out,
    seconds: 8,
    sampleSeconds: 2,
    calibrationSeconds: 2,
    tasksPerSecond: 300,
    seed: 1,
    keptMs: 500,
    queues: 40,
    signal: new AbortController().signal,
    say: () => undefined,
  })

  expect(left).toEqual({})
  expect(samples.length).toBeGreaterThanOrEqual(3)
  const last = samples.at(-1)
  expect(last?.load.completed).toBeGreaterThan(0)
  expect(last?.load.visits).toBeGreaterThan(0)
  expect(last?.heapUsed).toBeGreaterThan(0)
  expect(last?.descriptors).toBeGreaterThan(0)
  expect(storeBefore.storeBytes).toBeGreaterThan(0)
  // The journal alone may have grown, and it has its own bound.
  expect(storeAfter?.storeBytes).toBeLessThan(storeBefore.storeBytes * 1.1 + 16 * 2 ** 20)
  const lines = readFileSync(join(out, 'samples.jsonl'), 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(samples.length)
  expect(verdictsOf(samples)).not.toEqual([])
}, 180_000)
