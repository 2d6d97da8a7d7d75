// Why an upkeep program does not do what it was asked for: a code for programs, a sentence for people.

import { errorCode } from '../storage/durable-file.ts'

export type RefusedCode =
  'usage' | 'not-found' | 'locked' | 'occupied' | 'no-space' | 'bad-backup' | 'unsound' | 'system'

export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: RefusedCode

  constructor(code: RefusedCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What the system would not do is no bug of ours. @throws the error itself, if it is anything else. */
export function refusedBySystem(error: unknown): Refused {
  // LevelDB's errors are wrapped.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const known = BY_SYSTEM.get(errorCode(cause) ?? '')
  if (known === undefined || !(cause instanceof Error)) throw error
  const [code, advice] = known
  return new Refused(code, `The system refused: ${cause.message}. ${advice}`)
}

const PERMISSION = 'Run this as the user that the broker runs as, or give it the permission.'
const SPACE = 'Free some space.'
const FILES = 'Allow the process more open files (ulimit -n).'
const BY_SYSTEM: ReadonlyMap<string, readonly [code: RefusedCode, advice: string]> = new Map([
  ['EACCES', ['system', PERMISSION]],
  ['EPERM', ['system', PERMISSION]],
  ['EROFS', ['system', 'Name a place on a disk that may be written to.']],
  ['ENOENT', ['not-found', 'Name a path that exists.']],
  ['ENOTDIR', ['not-found', 'Name a directory.']],
  ['EISDIR', ['usage', 'Name a file.']],
  ['ELOOP', ['usage', 'Name a path whose links come to an end.']],
  ['ENAMETOOLONG', ['usage', 'Name a shorter path.']],
  ['ENOSPC', ['no-space', SPACE]],
  ['EDQUOT', ['no-space', SPACE]],
  ['EMFILE', ['system', FILES]],
  ['ENFILE', ['system', FILES]],
  ['EIO', ['system', 'Look at the health of the disk.']],
  ['LEVEL_IO_ERROR', ['system', 'Look at the space, the permissions and the health of the disk.']],
])
