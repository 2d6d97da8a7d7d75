// Finding out what a figure was measured on.

import { describe, expect, it } from 'vitest'
import { fileSystemOf } from './machine.ts'

const MOUNTS = [
  'rootfs / rootfs rw 0 0',
  '/dev/vda / ext4 rw 0 0',
  'tmpfs /tmp tmpfs rw 0 0',
  '/dev/vdb /tmp/bench xfs rw 0 0',
  '',
].join('\n')

describe('the file system of a directory', () => {
  it('is that of the nearest mount above it', () => {
    expect(fileSystemOf('/home/someone', MOUNTS)).toBe('ext4')
    expect(fileSystemOf('/tmp/x', MOUNTS)).toBe('tmpfs')
    expect(fileSystemOf('/tmp/bench', MOUNTS)).toBe('xfs')
    expect(fileSystemOf('/tmp/bench/deep/er', MOUNTS)).toBe('xfs')
    expect(fileSystemOf('/tmp/bench2', MOUNTS)).toBe('tmpfs')
  })

  it('is unknown if nobody says', () => {
    expect(fileSystemOf('/home', '')).toBe('unknown')
  })
})
