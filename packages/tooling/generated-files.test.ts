// Generated files are as the code would make them now.

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { generatedFiles } from './generated-files.ts'
import { ROOT } from './repository.ts'

describe('generated files', () => {
  it('are as they would be generated now; if not, run "make generate"', async () => {
    const files = await generatedFiles()

    for (const { path, text } of files) expect(await readFile(`${ROOT}/${path}`, 'utf8')).toBe(text)
  })

  it('are the example and the tables of options, codes, findings, addresses, events and metrics', async () => {
    const texts = (await generatedFiles()).map(({ text }) => text).join('\n')
    const names = [...texts.matchAll(/<!-- generated: ([a-z-]+) -->/g)].map(([, name]) => name)

    expect(names).toEqual([
      'options',
      'exit-codes',
      'findings',
      'endpoints',
      'log-events',
      'metrics',
    ])
  })
})
