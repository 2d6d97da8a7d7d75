// Small files are replaced as a whole, and errors keep their codes.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { errorCode, isMissing, writeDurably } from './durable-file.ts'

describe('writeDurably', () => {
  it('replaces a file, whatever an earlier try has left', async () => {
    const directory = await temporaryDirectory()
    const path = join(directory, 'file')
    await writeFile(path, 'old')
    await writeFile(`${path}.new`, 'from a try that was cut short, and longer')

    await writeDurably(path, 'new')

    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await readdir(directory)).toEqual(['file'])
  })
})

describe('errorCode', () => {
  it('is that of a system error, and of nothing else', () => {
    const missing = Object.assign(new Error('gone'), { code: 'ENOENT' })

    expect(errorCode(missing)).toBe('ENOENT')
    expect(isMissing(missing)).toBe(true)
    expect(errorCode(new Error('gone'))).toBeUndefined()
    expect(errorCode(Object.assign(new Error('gone'), { code: 2 }))).toBeUndefined()
    expect(errorCode('ENOENT')).toBeUndefined()
  })
})
