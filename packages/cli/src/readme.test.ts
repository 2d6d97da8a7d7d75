// The README says what the program does: its exit codes and its commands.

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from './exit-code.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

describe('README.md', () => {
  it.each(Object.values(EXIT_CODES))('documents exit code $code', ({ code, meaning }) => {
    expect(readme).toMatch(new RegExp(`^\\| ${code} +\\| ${escaped(meaning)} +\\|$`, 'm'))
  })
})

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
