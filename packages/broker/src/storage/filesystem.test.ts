// Which file systems are refused, and how much room there is.
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { freeBytes } from './disk-space.ts'
import { networkFilesystem, refuseNetworkFilesystem } from './filesystem.ts'

const EXT4 = 0xef53
const CIFS = 0xff534d42

describe('refuseNetworkFilesystem', () => {
  it.each([
    [0x6969, 'nfs'],
    [CIFS, 'cifs'],
    [0x65735546, 'fuse'],
    [0x01021997, '9p'],
  ])('refuses %i by its name, %s', async (type, name) => {
    await expect(refuseNetworkFilesystem('/data', async () => type)).rejects.toMatchObject({
      code: 'UNSUPPORTED_FILESYSTEM',
      message: expect.stringContaining(`/data is on a ${name} file system`),
    })
  })

  it('takes a local one', async () => {
    await expect(refuseNetworkFilesystem('/data', async () => EXT4)).resolves.toBeUndefined()
    await expect(refuseNetworkFilesystem(tmpdir())).resolves.toBeUndefined()
  })

  it('knows a number whose sign the platform has kept', () => {
    expect(networkFilesystem(CIFS | 0)).toBe('cifs')
  })
})

describe('freeBytes', () => {
  it('is what the file system has left', async () => {
    expect(await freeBytes(tmpdir())).toBeGreaterThan(1_000_000)
  })

  it('rejects for a directory that does not exist', async () => {
    await expect(freeBytes('/nowhere/at/all')).rejects.toThrow(/ENOENT/)
  })
})
