// Every path that a broker and LevelDB use in a data directory, for strace to tell them from sockets.

import { join } from 'node:path'

/** Numbers that LevelDB gives to its files, from 1; a rig's directory does not get this old. */
const FILE_NUMBER_MAX = 300
/** Holders of the directory's lock, one a start. */
const LOCK_NUMBER_MAX = 100

const OWN_FILES = [
  'identity',
  'identity.new',
  'high-water',
  'starting',
  'starting.new',
  'startup-reports.json',
  'startup-reports.json.new',
  'lock',
  'opening.new',
  'opening',
  'undoing',
  'leaving',
  'damaged',
  'store',
]

/** Those of `lock/aside-*` are missing: their names are made by chance. */
export function dataDirectoryPaths(directory: string): string[] {
  const store = join(directory, 'store')
  const paths = [directory, ...OWN_FILES.map((name) => join(directory, name))]
  for (let number = 0; number <= LOCK_NUMBER_MAX; number += 1) {
    paths.push(join(directory, 'lock', String(number)))
  }
  paths.push(...['CURRENT', 'LOCK', 'LOG', 'LOG.old'].map((name) => join(store, name)))
  for (let number = 1; number <= FILE_NUMBER_MAX; number += 1) {
    const digits = String(number).padStart(6, '0')
    const names = [`MANIFEST-${digits}`, `${digits}.log`, `${digits}.ldb`, `${digits}.dbtmp`]
    paths.push(...names.map((name) => join(store, name)))
  }
  return paths
}
