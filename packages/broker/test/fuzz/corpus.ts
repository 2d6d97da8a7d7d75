// Bodies worth starting from: the golden ones, those that were found, and every one that once failed.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { FRAME_HEADER_BYTES } from '@tq/core'
import { GOLDEN_REQUESTS } from '../../../core/test/golden-message.ts'

const CORPUS = fileURLToPath(new URL('corpus', import.meta.url))
const REGRESSIONS = join(CORPUS, 'regressions.txt')

/** Bodies of all golden requests. */
export const GOLDEN_BODIES: readonly Uint8Array[] = GOLDEN_REQUESTS.map(({ frame }) =>
  frame.subarray(FRAME_HEADER_BYTES),
)

/** Bodies that once did something that they must not, one in hexadecimal a line. */
export function regressions(): readonly Uint8Array[] {
  if (!existsSync(REGRESSIONS)) return []
  return linesOf(REGRESSIONS).map((line) => Uint8Array.from(Buffer.from(line, 'hex')))
}

/** Bodies that reached a part of the code first. */
export function found(): readonly Uint8Array[] {
  const path = join(CORPUS, 'found.txt')
  return existsSync(path)
    ? linesOf(path).map((line) => Uint8Array.from(Buffer.from(line, 'hex')))
    : []
}

/** Keeps a body that failed for ever; gives its line. */
export function keepRegression(body: Uint8Array): string {
  const hex = Buffer.from(body).toString('hex')
  mkdirSync(CORPUS, { recursive: true })
  const before = existsSync(REGRESSIONS) ? linesOf(REGRESSIONS) : []
  if (!before.includes(hex)) writeFileSync(REGRESSIONS, `${[...before, hex].join('\n')}\n`)
  return hex
}

/** Stories that once failed: each a file of steps. */
export function storyPaths(): readonly string[] {
  if (!existsSync(CORPUS)) return []
  return readdirSync(CORPUS)
    .filter((name) => name.startsWith('story-'))
    .map((name) => join(CORPUS, name))
}

export function keepStory(text: string): string {
  const name = `story-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.txt`
  mkdirSync(CORPUS, { recursive: true })
  writeFileSync(join(CORPUS, name), text)
  return name
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

/** Small bodies alone: the corpus is to be read in a moment. */
const FOUND_MAX = 200
const FOUND_BYTES_MAX = 256

export function keepFound(bodies: readonly Uint8Array[]): void {
  const small = bodies.filter(({ length }) => length <= FOUND_BYTES_MAX)
  const lines = new Set([...found(), ...small].map((body) => Buffer.from(body).toString('hex')))
  mkdirSync(CORPUS, { recursive: true })
  writeFileSync(join(CORPUS, 'found.txt'), `${[...lines].slice(0, FOUND_MAX).join('\n')}\n`)
}
