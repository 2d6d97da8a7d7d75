// What the demonstration measures and merges is right.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesUnder } from './files.ts'
import { measure, merge } from './handlers.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tq-demo-test-'))
  await mkdir(join(directory, 'node_modules'))
  await writeFile(join(directory, 'node_modules', 'skipped.txt'), 'x')
  await writeFile(join(directory, 'b.txt'), 'one two\nthree\n')
  await writeFile(join(directory, 'a.txt'), '')
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('the files of the demonstration', () => {
  it('are those that a person wrote, by name', async () => {
    const files = await filesUnder([directory])

    expect(files).toEqual([
      { path: join(directory, 'a.txt'), bytes: 0 },
      { path: join(directory, 'b.txt'), bytes: 14 },
    ])
  })
})

describe('a measured file', () => {
  it('has its hash, lines, words and sizes', async () => {
    const path = join(directory, 'b.txt')

    expect(await measure(path)).toMatchObject({
      path,
      sha256: '6481b98de00b3b8c0eccd56b3877aa72d7cbb9c2b97142fa35f7177f9456926d',
      bytes: 14,
      lines: 2,
      words: 3,
    })
  })
})

describe('a merged report', () => {
  it('adds up, and is the same whether merged at once or in parts', async () => {
    const parts = [await measure(join(directory, 'a.txt')), await measure(join(directory, 'b.txt'))]

    const whole = merge(parts)
    const inParts = merge(parts.map((part) => merge([part])))

    expect(whole).toMatchObject({ files: 2, bytes: 14, lines: 2, words: 3 })
    expect(whole.largest).toBe(join(directory, 'b.txt'))
    expect(inParts).toMatchObject({ files: 2, bytes: 14, lines: 2, words: 3 })
  })
})
