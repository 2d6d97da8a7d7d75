// When the mark is written, what survives of it, and what a failed write does.
import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { ManualScheduler } from '../../test/manual-scheduler.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import type { Head } from './head-record.ts'
import { HighWater, isAhead, MARK_COMMITS_MAX, MARK_INTERVAL_MS } from './high-water.ts'

const SLOT_BYTES = 4_096
let path: string
let scheduler: ManualScheduler
let failures: unknown[]

beforeEach(async () => {
  path = join(await temporaryDirectory(), 'high-water')
  scheduler = new ManualScheduler()
  failures = []
})

function make(at = path): HighWater {
  const mark = new HighWater(at, { scheduler, onFailure: (error) => failures.push(error) })
  onTestFinished(() => mark.close())
  return mark
}

function head(lsn: number, epoch = 1): Head {
  return { storeId: new Uint8Array(16).fill(5), epoch, lsn }
}

/** What the next start would find. */
async function found(): Promise<Head | undefined> {
  const mark = make()
  const head = await mark.open()
  await mark.close()
  return head
}

/** Waits for the disk, as long as it takes. */
const PATIENCE = { interval: 1, timeout: 20_000 }

async function untilFound(lsn: number): Promise<void> {
  await expect.poll(async () => (await found())?.lsn, PATIENCE).toBe(lsn)
}

describe('HighWater', () => {
  it('has no file until there is a mark, and then one of its user with all of it', async () => {
    const mark = make()
    expect(await mark.open()).toBeUndefined()
    await expect(stat(path)).rejects.toThrow(/ENOENT/)

    await mark.set(head(7))

    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await found()).toEqual(head(7))
  })

  it('begins in an empty file, which a start that was cut off has left', async () => {
    await writeFile(path, '')
    const mark = make()
    expect(await mark.open()).toBeUndefined()

    await mark.set(head(7))

    expect(await found()).toEqual(head(7))
  })

  it('writes the first mark aside: half of it would stop the next start', async () => {
    // A directory in the way lets the write fail, wherever it is in the file.
    await mkdir(`${path}.new`)
    const mark = make()
    await mark.open()

    await expect(mark.set(head(7))).rejects.toThrow(/EISDIR/)

    expect(await found()).toBeUndefined()
    await expect(stat(path)).rejects.toThrow(/ENOENT/)
  })

  it('is durable when set', async () => {
    const mark = make()
    await mark.open()

    await mark.set(head(7, 3))

    expect(await found()).toEqual(head(7, 3))
  })

  it('follows the commits after a second, not at once', async () => {
    const mark = make()
    await mark.open()
    await mark.set(head(0))

    for (let lsn = 1; lsn <= 5; lsn += 1) mark.note(head(lsn))
    scheduler.pass(MARK_INTERVAL_MS - 1)
    expect(await found()).toEqual(head(0))

    scheduler.pass(1)
    await untilFound(5)
    expect(scheduler.waitingCount).toBe(0)
  })

  it('follows at once after many commits', async () => {
    const mark = make()
    await mark.open()

    for (let lsn = 1; lsn <= MARK_COMMITS_MAX; lsn += 1) mark.note(head(lsn))

    await untilFound(MARK_COMMITS_MAX)
    expect(scheduler.waitingCount).toBe(0)
  })

  it('goes on with what was committed while it was written', async () => {
    const mark = make()
    await mark.open()
    for (let lsn = 1; lsn <= 2 * MARK_COMMITS_MAX + 1; lsn += 1) mark.note(head(lsn))
    await untilFound(2 * MARK_COMMITS_MAX + 1)

    mark.note(head(9_999))

    // The second begins when the write before it has ended.
    const lsnAfterASecond = async (): Promise<number | undefined> => {
      scheduler.pass(MARK_INTERVAL_MS)
      return (await found())?.lsn
    }
    await expect.poll(lsnAfterASecond, PATIENCE).toBe(9_999)
  })

  it('marks the rest when it is closed', async () => {
    const mark = make()
    await mark.open()
    mark.note(head(1))

    await mark.close()
    await mark.close()
    mark.note(head(2))

    expect(await found()).toEqual(head(1))
    expect(scheduler.waitingCount).toBe(0)
  })

  it('may be closed before it is open', async () => {
    await expect(make().close()).resolves.toBeUndefined()
  })

  it('keeps the mark before when the newest is torn, whichever slot that is in', async () => {
    for (const lsn of [1, 2, 3]) {
      const mark = make()
      await mark.open()
      await mark.set(head(lsn))
      await mark.close()

      const bytes = await readFile(path)
      const slot = lsn % 2 === 1 ? 0 : SLOT_BYTES
      const torn = Uint8Array.from(bytes).fill(0, slot + 20, slot + 30)
      await writeFile(path, torn)
      if (lsn > 1) expect(await found()).toEqual(head(lsn - 1))
      await writeFile(path, bytes)
    }
  })

  it('is refused when there is a file, but no mark that can be read', async () => {
    const mark = make()
    await mark.open()
    await mark.set(head(1))
    await truncate(path, 20)

    await expect(make().open()).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('passes on why its file cannot be opened', async () => {
    await mkdir(path)

    await expect(make().open()).rejects.toThrow(/EISDIR/)
  })

  it('reports a failed write once, and marks nothing after it', async () => {
    const mark = make('/dev/full')
    await mark.open()
    await expect(mark.set(head(0))).rejects.toThrow(/ENOSPC/)

    mark.note(head(1))
    scheduler.pass(MARK_INTERVAL_MS)
    await expect.poll(() => failures, PATIENCE).toHaveLength(1)
    mark.note(head(2))

    expect(scheduler.waitingCount).toBe(0)
    await mark.close()
    expect(failures).toHaveLength(1)
  })

  it('does not report what fails while it is closed', async () => {
    const mark = make('/dev/full')
    await mark.open()
    mark.note(head(1))
    scheduler.pass(MARK_INTERVAL_MS)

    await mark.close()

    expect(failures).toEqual([])
  })

  it('closes in peace though its last mark fails', async () => {
    const mark = make('/dev/full')
    await mark.open()
    mark.note(head(1))

    await expect(mark.close()).resolves.toBeUndefined()
  })
})

describe('isAhead', () => {
  it.each([
    [1, 5, 1, 5, false],
    [1, 6, 1, 5, true],
    [2, 5, 1, 5, true],
    [2, 4, 1, 5, true],
    [1, 4, 1, 5, false],
  ])('compares epoch %i, LSN %i with epoch %i, LSN %i: %s', (epoch, lsn, epochB, lsnB, ahead) => {
    expect(isAhead({ epoch, lsn }, { epoch: epochB, lsn: lsnB })).toBe(ahead)
  })
})
