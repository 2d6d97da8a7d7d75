// The payload of an enqueue: JSON in an argument, a file or stdin, or bytes as they are.

import { readFile } from 'node:fs/promises'
import { OpaqueBytes } from '@tq/client'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

export interface PayloadOptions {
  /** JSON itself; `-` is stdin. */
  readonly json?: string
  /** A path; `-` is stdin. */
  readonly file?: string
  readonly raw?: boolean
}

/** Strings as a whole, and numbers: what is left of a JSON text does not matter here. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** The value to enqueue; null if no payload was named. */
export async function readPayload(
  options: PayloadOptions,
  stdin: Terminal['stdin'],
): Promise<unknown> {
  const { json, file, raw = false } = options
  if (json !== undefined && file !== undefined) {
    throw new UsageError('the payload is given twice; choose one of --json, --file and -')
  }
  const path = json === '-' ? '-' : file
  if (raw && path === undefined) {
    throw new UsageError('--raw needs the bytes: --file <path>, or - for stdin')
  }
  if (path === undefined) return json === undefined ? null : parseJson(json, '--json')
  const bytes = path === '-' ? await readAll(stdin) : await readBytes(path)
  const where = path === '-' ? 'stdin' : path
  return raw ? new OpaqueBytes(bytes) : parseJson(textOf(bytes, where), where)
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new UsageError(`--file cannot be read: ${(error as Error).message}`)
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function textOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`${where} is not UTF-8 text; --raw sends bytes as they are`)
  }
}

function parseJson(text: string, where: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${where} is not JSON: ${(error as Error).message}`)
  }
  const changed = changedNumber(text)
  if (changed === undefined) return value
  const advice = 'write it as a string, or send bytes of your own with --raw'
  throw new UsageError(`${where}: ${changed} and would change; ${advice}`)
}

/** Why the first number of a JSON text that a double cannot hold would change. */
function changedNumber(text: string): string | undefined {
  for (const [token] of text.matchAll(STRING_OR_NUMBER)) {
    if (token.startsWith('"')) continue
    const value = Number(token)
    if (!Number.isFinite(value)) return `the number ${token} is beyond 1.8e308`
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(value)) {
      return `the integer ${token} is beyond 2^53`
    }
  }
  return undefined
}
