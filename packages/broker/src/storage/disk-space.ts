// How much room the file system of a directory has left, for the floor below which work is refused.

import { statfs } from 'node:fs/promises'

/** Bytes that a process without privileges may still write, approximately. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}
