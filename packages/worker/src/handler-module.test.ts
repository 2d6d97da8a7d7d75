// What is said of a module of handlers, right and wrong.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadHandlers, UsageError } from './handler-module.ts'

const directory = mkdtempSync(join(tmpdir(), 'tq-handlers-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let files = 0
function moduleOf(text: string): string {
  files += 1
  const path = join(directory, `module-${files}.mjs`)
  writeFileSync(path, text)
  return path
}

describe('handler module', () => {
  it('gives the functions under `handlers`', async () => {
    const handlers = await loadHandlers(
      moduleOf('export const handlers = { echo: (t) => t.payload }'),
    )

    expect(Object.keys(handlers)).toEqual(['echo'])
  })

  it('takes the default export when there is no `handlers`', async () => {
    const handlers = await loadHandlers(moduleOf('export default { "*": () => 1 }'))

    expect(Object.keys(handlers)).toEqual(['*'])
  })

  it.each([
    ['no export', 'export const other = 1', /exports no handlers/],
    ['null', 'export default null', /exports no handlers/],
    ['nothing in it', 'export const handlers = {}', /empty object/],
    [
      'not a function',
      'export const handlers = { mail: 3 }',
      /type "mail" is number, not a function/,
    ],
    ['a syntax error', 'export const = 1', /cannot load .*module-/],
    ['a missing import', "import './nowhere.mjs'", /cannot load .*nowhere/],
    ['something thrown', "throw 'odd'", /cannot load .*odd/],
  ])('says what is wrong with a module: %s', async (_, text, message) => {
    await expect(loadHandlers(moduleOf(text))).rejects.toThrow(message)
    await expect(loadHandlers(moduleOf(text))).rejects.toThrow(UsageError)
  })

  it('says so when there is no such file', async () => {
    await expect(loadHandlers(join(directory, 'missing.mjs'))).rejects.toThrow(/cannot load/)
  })
})
