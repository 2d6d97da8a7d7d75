// The configuration's first source: a YAML file, with the line and column of everything in it.

import { readFile, stat } from 'node:fs/promises'
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import { ConfigError } from './error.ts'

/** A configuration is written by people; what is larger is another file. */
const FILE_BYTES_MAX = 1024 * 1024
const ALIASES_MAX = 100

export interface ConfigFile {
  readonly path: string
  readonly values: Readonly<Record<string, unknown>>
  /** True if any user of the machine may read it. */
  readonly isWorldReadable: boolean
  /** `file:line:column` of a value, or of what is nearest to it. */
  readonly placeOfValue: (path: readonly PropertyKey[]) => string
  /** `file:line:column` of a key. */
  readonly placeOfKey: (path: readonly PropertyKey[]) => string
}

/** @throws {ConfigError} if it cannot be read, or is not YAML. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const { text, mode } = await readText(path)
  return { ...parseConfigFile(path, text), isWorldReadable: (mode & 0o004) !== 0 }
}

function parseConfigFile(path: string, text: string): Omit<ConfigFile, 'isWorldReadable'> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const placeAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  const errors = [...document.errors, ...document.warnings]
  if (errors.length > 0) {
    throw new ConfigError(errors.map(({ pos, message }) => `${placeAt(pos[0])}: ${message}`))
  }
  return {
    path,
    values: valuesOf(path, document),
    placeOfValue: (at) => placeAt(offsetOfValue(document, at)),
    placeOfKey: (at) => placeAt(offsetOfKey(document, at)),
  }
}

async function readText(path: string): Promise<{ readonly text: string; readonly mode: number }> {
  try {
    const { mode, size } = await stat(path)
    if (size > FILE_BYTES_MAX) {
      throw new Error(`it has ${size} bytes; a configuration has at most ${FILE_BYTES_MAX}`)
    }
    return { text: await readFile(path, 'utf8'), mode }
  } catch (error) {
    throw new ConfigError([`${path}: cannot be read: ${reasonOf(error)}`])
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : error.message
}

function valuesOf(path: string, document: Document): Readonly<Record<string, unknown>> {
  try {
    const values: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
    if (values === null || values === undefined) return {}
    if (typeof values === 'object' && !Array.isArray(values)) return { ...values }
  } catch (error) {
    throw new ConfigError([`${path}:1:1: ${reasonOf(error)}`])
  }
  throw new ConfigError([`${path}:1:1: must be a map of options, such as "port: 7461"`])
}

/** Where the value stands, or the innermost thing around it that is there. */
function offsetOfValue(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

function offsetOfKey(document: Document, path: readonly PropertyKey[]): number {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  const name = path.at(-1)
  if (isMap(parent)) {
    for (const { key } of parent.items) {
      if (isScalar(key) && String(key.value) === name && key.range) return key.range[0]
    }
  }
  return offsetOfValue(document, path)
}
