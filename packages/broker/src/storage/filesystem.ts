// Which file systems keep what LevelDB needs: local ones; a network's may lie about sync and locks.

import { statfs } from 'node:fs/promises'
import { StoreError } from './port.ts'

/** `f_type` of statfs(2) on Linux, with the name that mount(8) shows. */
const NETWORK_FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xfe534d42, 'smb2'],
  [0xff534d42, 'cifs'],
  // sshfs, object stores and shared folders of virtual machines; some sync, most do not say.
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x0bd00bd0, 'lustre'],
  [0x5346414f, 'afs'],
  [0x73757245, 'coda'],
  [0x786f4256, 'vboxsf'],
])

/** The name of a network file system by its number; undefined for any other. */
export function networkFilesystem(type: number): string | undefined {
  // Some platforms give the 32 bits as a signed number.
  return NETWORK_FILESYSTEMS.get(type >>> 0)
}

/** @throws {StoreError} UNSUPPORTED_FILESYSTEM. */
export async function refuseNetworkFilesystem(
  directory: string,
  typeOf: (directory: string) => Promise<number> = filesystemType,
): Promise<void> {
  const name = networkFilesystem(await typeOf(directory))
  if (name === undefined) return
  throw new StoreError(
    'UNSUPPORTED_FILESYSTEM',
    `the data directory ${directory} is on a ${name} file system, where a sync or a lock may not ` +
      'hold what it promises. Put it on a local disk (ext4, xfs, btrfs), or allow any file ' +
      'system if you know that this one keeps both.',
  )
}

async function filesystemType(directory: string): Promise<number> {
  // Elsewhere the numbers mean something else.
  if (process.platform !== 'linux') return 0
  return (await statfs(directory)).type
}
