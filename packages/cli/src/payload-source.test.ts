// The payload of an enqueue: JSON in an argument, a file or stdin, or bytes as they are.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OpaqueBytes } from '@tq/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type PayloadOptions, readPayload } from './payload-source.ts'
import { UsageError } from './usage-error.ts'

describe('readPayload', () => {
  it('is null if none is named', async () => {
    expect(await read({})).toBeNull()
  })

  it('reads JSON from an argument', async () => {
    expect(await read({ json: '{"to":"ann"}' })).toEqual({ to: 'ann' })
  })

  it('reads JSON from a file', async () => {
    const file = await aFile('[1, 2]')

    expect(await read({ file })).toEqual([1, 2])
  })

  it.each([{ file: '-' }, { json: '-' }])('reads JSON from stdin for %j', async (options) => {
    expect(await read(options, ['{"a":', '"ü"}'])).toEqual({ a: 'ü' })
  })

  it('takes bytes as they are', async () => {
    const file = await aFile('no JSON')

    expect(await read({ file, raw: true })).toEqual(new OpaqueBytes(Buffer.from('no JSON')))
    expect(await read({ json: '-', raw: true }, ['x'])).toEqual(new OpaqueBytes(Buffer.from('x')))
  })

  it.each([
    [{ json: '{' }, '--json is not JSON'],
    [{ json: '' }, '--json is not JSON'],
    [{ file: '-' }, 'stdin is not JSON'],
    [{ json: '1', file: 'x' }, 'given twice'],
    [{ raw: true }, '--raw needs the bytes'],
    [{ raw: true, json: '1' }, '--raw needs the bytes'],
    [{ file: '/no/such/file' }, '--file cannot be read: ENOENT'],
    [{ json: '{"a":"9007199254740993","b":9007199254740993}' }, 'the integer 9007199254740993'],
  ])('refuses %j', async (options, text) => {
    await expect(read(options)).rejects.toThrow(UsageError)
    await expect(read(options)).rejects.toThrow(text)
  })

  it('refuses text that is not UTF-8', async () => {
    const file = await aFile(new Uint8Array([0x22, 0xff, 0x22]))

    await expect(read({ file })).rejects.toThrow('not UTF-8 text; --raw sends bytes as they are')
  })

  it('does not mind large integers inside strings, or large fractions', async () => {
    const json = '["9007199254740993", "\\"9007199254740993", 1e30]'

    expect(await read({ json })).toEqual(['9007199254740993', '"9007199254740993', 1e30])
  })
})

function read(options: PayloadOptions, stdin: readonly string[] = []): Promise<unknown> {
  return readPayload(options, chunksOf(stdin))
}

async function* chunksOf(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text)
}

async function aFile(content: string | Uint8Array): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'payload')
  await writeFile(path, content)
  return path
}
