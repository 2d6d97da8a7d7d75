// An aborted start is recognised by the next one.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { StoreError } from './port.ts'
import { StartMarker } from './start-marker.ts'

describe('StartMarker', () => {
  it('knows of no aborted start in a new directory', async () => {
    expect(await new StartMarker(await temporaryDirectory()).readAborted()).toBeUndefined()
  })

  it('names the last step of a start that did not end', async () => {
    const directory = await temporaryDirectory()
    const marker = new StartMarker(directory)
    await marker.enter('open')
    await marker.enter('load tasks')

    expect(await new StartMarker(directory).readAborted()).toBe('load tasks')
    expect((await stat(join(directory, 'starting'))).mode & 0o777).toBe(0o600)
  })

  it('leaves nothing behind when the start has succeeded', async () => {
    const directory = await temporaryDirectory()
    const marker = new StartMarker(directory)
    await marker.enter('open')

    await marker.clear()
    await marker.clear()

    expect(await marker.readAborted()).toBeUndefined()
    expect(await readdir(directory)).toEqual([])
  })

  it('passes on what the disk says', async () => {
    const marker = new StartMarker('/dev/null')

    await expect(marker.readAborted()).rejects.toThrow(/ENOTDIR/)
    for (const failed of [marker.enter('open'), marker.clear()]) {
      // Not a bug of tq: the start is refused, and names the file.
      await expect(failed).rejects.toThrow(StoreError)
      await expect(failed).rejects.toMatchObject({
        code: 'IO',
        message: expect.stringMatching(/^cannot write or remove \/dev\/null\/starting.*ENOTDIR/),
      })
    }
  })
})
