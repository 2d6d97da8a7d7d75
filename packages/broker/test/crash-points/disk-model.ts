// What a disk may hold after a crash: what was synced for sure, what was not perhaps, or half of it.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DiskOperation } from './recorded-disk.ts'

/**
 * `all`: the process died, and the system wrote everything. `nothing`: the power went, and of what
 * was not synced nothing is there. `names`: names are there, and what was not synced of contents
 * is not. A number: all is there, but of the last write only so many bytes.
 */
export type Survival = 'all' | 'nothing' | 'names' | number

/** No longer than this is what has a checksum of its own. */
const MARK_BYTES_MAX = 48

interface File {
  content: Uint8Array
  synced: Uint8Array
}

type Names = Map<string, File>

export class DiskModel {
  /** By path. Directories themselves count as durable: the broker syncs what it makes them in. */
  #names: Names = new Map()
  #syncedNames: Names = new Map()
  readonly #directories = new Set<string>()

  /** The disk after these operations, if all of them were carried out. */
  constructor(operations: readonly DiskOperation[]) {
    for (const operation of operations) this.#apply(operation)
  }

  /** Writes what survives into an empty directory. */
  async materialise(directory: string, survival: Survival): Promise<void> {
    await mkdir(directory, { recursive: true })
    for (const path of this.#directories) await mkdir(join(directory, path), { recursive: true })
    const names = survival === 'nothing' ? this.#syncedNames : this.#names
    for (const [path, file] of names) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      const isWhole = survival !== 'nothing' && survival !== 'names'
      await writeFile(join(directory, path), isWhole ? file.content : file.synced)
    }
  }

  #apply(operation: DiskOperation): void {
    const { path } = operation
    switch (operation.kind) {
      case 'make-directory':
        this.#directories.add(path)
        return
      case 'create':
        return this.#create(path, operation.empties)
      case 'write': {
        const file = this.#file(path)
        file.content = written(file.content, operation.at, operation.bytes)
        return
      }
      case 'sync':
        return this.#sync(path)
      case 'rename':
        this.#names.set(operation.to, this.#file(path))
        this.#names.delete(path)
        return
      case 'link':
        this.#names.set(operation.to, this.#file(path))
        return
      case 'remove':
        this.#names.delete(path)
    }
  }

  #create(path: string, empties: boolean): void {
    const known = this.#names.get(path)
    if (known === undefined) {
      this.#names.set(path, { content: new Uint8Array(0), synced: new Uint8Array(0) })
    } else if (empties) {
      known.content = new Uint8Array(0)
    }
  }

  #sync(path: string): void {
    const file = this.#names.get(path)
    if (file !== undefined) {
      file.synced = file.content
      return
    }
    const isIn = (name: string): boolean => (dirname(name) === '.' ? '' : dirname(name)) === path
    for (const name of this.#syncedNames.keys()) {
      if (isIn(name) && !this.#names.has(name)) this.#syncedNames.delete(name)
    }
    for (const [name, found] of this.#names) {
      if (isIn(name)) this.#syncedNames.set(name, found)
    }
  }

  #file(path: string): File {
    const file = this.#names.get(path)
    if (file === undefined) throw new Error(`${path} is used before it is made`)
    return file
  }
}

/** How a crash may leave the disk once the last of these operations was begun. */
export function survivalsOf(operations: readonly DiskOperation[]): readonly Survival[] {
  const last = operations.at(-1)
  if (last?.kind !== 'write') return ['all', 'nothing', 'names']
  // Each torn prefix; of what is only text, each eighth.
  const step = last.bytes.length <= MARK_BYTES_MAX ? 1 : 8
  const torn = Array.from({ length: Math.ceil(last.bytes.length / step) }, (_, at) => at * step)
  return ['all', 'nothing', 'names', ...torn]
}

/** The operations, the last of them torn. */
export function tornAt(operations: readonly DiskOperation[], survival: Survival): DiskOperation[] {
  const last = operations.at(-1)
  if (typeof survival !== 'number' || last?.kind !== 'write') return [...operations]
  return [...operations.slice(0, -1), { ...last, bytes: last.bytes.subarray(0, survival) }]
}

function written(content: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.max(content.length, at + bytes.length))
  result.set(content)
  result.set(bytes, at)
  return result
}
