// Writes down, call by call, what the broker does to the small files of a directory.

import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { relative } from 'node:path'

/** A call that changes what is on the disk, or what of it is durable. Paths are relative. */
export type DiskOperation =
  | { readonly kind: 'make-directory'; readonly path: string }
  /** A new file, or an old one emptied. */
  | { readonly kind: 'create'; readonly path: string; readonly empties: boolean }
  | {
      readonly kind: 'write'
      readonly path: string
      readonly at: number
      readonly bytes: Uint8Array
    }
  /** Of a file: its content. Of a directory: its names. */
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }

/** Whatever the code under it reaches by `node:fs/promises`, it reaches through here meanwhile. */
export async function recordDisk(
  directory: string,
  act: (note: (name: string) => void) => Promise<void>,
): Promise<{ readonly operations: DiskOperation[]; readonly notes: ReadonlyMap<string, number> }> {
  const operations: DiskOperation[] = []
  const notes = new Map<string, number>()
  const record = (operation: DiskOperation): void => void operations.push(operation)
  const original = { ...fs }
  Object.assign(fs, patchesOf(original, directory, record))
  syncBuiltinESMExports()
  try {
    // What has been noted holds from this operation on.
    await act((name) => void notes.set(name, operations.length))
  } finally {
    Object.assign(fs, original)
    syncBuiltinESMExports()
  }
  return { operations, notes }
}

type FileSystem = typeof fs

function patchesOf(
  original: FileSystem,
  directory: string,
  record: (operation: DiskOperation) => void,
): Partial<FileSystem> {
  const nameOf = (path: unknown): string => relative(directory, String(path))
  const open: FileSystem['open'] = async (path, flags, mode) => {
    const file = await original.open(path, flags, mode)
    const name = nameOf(path)
    const isNew = typeof flags === 'string' && /[wa]/.test(flags)
    if (isNew) record({ kind: 'create', path: name, empties: flags.startsWith('w') })
    return watched(file, name, record)
  }
  const writeFile: FileSystem['writeFile'] = async (path, data, options) => {
    await original.writeFile(path, data, options)
    if (typeof path !== 'string' || typeof data !== 'string') {
      throw new Error('the recorder knows files by their paths, and text only')
    }
    record({ kind: 'create', path: nameOf(path), empties: true })
    record({ kind: 'write', path: nameOf(path), at: 0, bytes: Buffer.from(data) })
  }
  return {
    open,
    writeFile,
    async mkdir(path: string, options?: object) {
      const made = await original.mkdir(path, options)
      if (made !== undefined) record({ kind: 'make-directory', path: nameOf(path) })
      return made
    },
    async rename(from, to) {
      await original.rename(from, to)
      record({ kind: 'rename', path: nameOf(from), to: nameOf(to) })
    },
    async link(from, to) {
      await original.link(from, to)
      record({ kind: 'link', path: nameOf(from), to: nameOf(to) })
    },
    async rm(path, options) {
      await original.rm(path, options)
      record({ kind: 'remove', path: nameOf(path) })
    },
  } as Partial<FileSystem>
}

function watched(
  file: fs.FileHandle,
  path: string,
  record: (operation: DiskOperation) => void,
): fs.FileHandle {
  const write = file.write.bind(file)
  const writeFile = file.writeFile.bind(file)
  const sync = file.sync.bind(file)
  const datasync = file.datasync.bind(file)
  return Object.assign(file, {
    async write(bytes: Uint8Array, from: number, length: number, at: number) {
      const written = await write(bytes, from, length, at)
      const copy = Uint8Array.from(bytes.subarray(from, from + length))
      record({ kind: 'write', path, at, bytes: copy })
      return written
    },
    async writeFile(content: string | Uint8Array) {
      await writeFile(content)
      record({ kind: 'write', path, at: 0, bytes: Buffer.from(content) })
    },
    async sync() {
      await sync()
      record({ kind: 'sync', path })
    },
    async datasync() {
      await datasync()
      record({ kind: 'sync', path })
    },
  })
}
