// A backup from a broker that works on: one moment of it, piece by piece, and never two at once.

import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReplyOf, Request } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { PipelineRig, type Peer } from '../../test/pipeline-rig.ts'
import { aTaskId } from '../../test/task-builder.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { taskKey } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import { readBackup, type ReadBackup } from '../upkeep/backup-reader.ts'
import { BACKUP_BYTES_MAX, BACKUP_IDLE_MS } from './backup-desk.ts'

type Piece = ReplyOf<'backup'>

function enqueue(number: number, payloadBytes: number): Request {
  const id = aTaskId('work', number)
  const payload = new Uint8Array(payloadBytes).fill(number)
  const tasks = [{ id, type: 't', payload, options: undefined }]
  return { verb: 'enqueue', queue: 'work', tasks, fresh: true }
}

function enqueueMany(from: number, count: number): Request {
  const tasks = Array.from({ length: count }, (_, index) => {
    const payload = new Uint8Array(1_300).fill(index)
    return { id: aTaskId('work', from + index), type: 't', payload, options: undefined }
  })
  return { verb: 'enqueue', queue: 'work', tasks, fresh: true }
}

async function pull(peer: Peer, first: Piece): Promise<readonly Piece[]> {
  const pieces = [first]
  for (let cursor = first.cursor; cursor !== null; cursor = pieces.at(-1)?.cursor ?? null) {
    pieces.push(await peer.reply<Piece>({ verb: 'backup', cursor }))
  }
  return pieces
}

/** What a backup holds: read as a restore reads it. */
async function contentsOf(
  pieces: readonly Piece[],
): Promise<ReadBackup & { readonly entries: readonly Entry[] }> {
  const file = join(await temporaryDirectory(), 'backup')
  await writeFile(file, Buffer.concat(pieces.map(({ bytes }) => bytes)))
  const entries: Entry[] = []
  const read = await readBackup(file, (chunk) => void entries.push(...chunk))
  return { ...read, entries }
}

function digest(entries: Iterable<Entry>): string {
  const hash = createHash('sha256')
  for (const [key, value] of entries) hash.update(key).update(value)
  return hash.digest('hex')
}

describe('a backup', () => {
  it('holds all of one commit, whatever is committed while it is pulled', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    // More entries than a page has, and more bytes than an answer.
    await peer.reply(enqueueMany(1, 1_000))
    await peer.reply(enqueueMany(1_001, 100))
    const all = { from: Uint8Array.of(0), to: Uint8Array.of(0xff) }
    const then = digest(rig.image.entries(all))
    const lsn = rig.partition.commits.durableLsn

    const first = await peer.reply<Piece>({ verb: 'backup' })
    // What has ended goes from the beginning of the store to its end.
    await peer.reply({ verb: 'cancel', ids: [aTaskId('work', 5)] })
    await peer.reply(enqueueMany(1_101, 10))
    const pieces = await pull(peer, first)

    const { header, footer, entries } = await contentsOf(pieces)
    expect(digest(entries)).toBe(then)
    expect(footer).toMatchObject({ lsn, epoch: rig.partition.epoch })
    expect(pieces.at(-1)).toMatchObject({ lsn, entries: entries.length, cursor: null })
    expect(pieces.every(({ bytes }) => bytes.length <= BACKUP_BYTES_MAX)).toBe(true)
    expect(pieces.length).toBeGreaterThan(1)
    expect(header).toMatchObject({ backupVersion: 1, formatVersion: 1 })
  })

  it('gives the same bytes again if they are asked for again', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    for (let number = 1; number <= 3; number += 1) await peer.reply(enqueue(number, 900_000))
    const first = await peer.reply<Piece>({ verb: 'backup' })
    const ask: Request = { verb: 'backup', cursor: first.cursor ?? '' }

    const once = await peer.reply<Piece>(ask)
    const again = await peer.reply<Piece>(ask)

    // Comparing mebibytes value by value takes seconds.
    expect(Buffer.compare(again.bytes, once.bytes)).toBe(0)
    expect(again.cursor).toBe(once.cursor)
    const { footer } = await contentsOf(await pull(peer, once).then((rest) => [first, ...rest]))
    expect(footer.entries['task']).toBe(3)
  })

  it('is the only one, until its connection has gone', async () => {
    const rig = await PipelineRig.open()
    const one = rig.peer('one')
    const other = rig.peer('other')
    for (let number = 1; number <= 2; number += 1) await one.reply(enqueue(number, 900_000))
    await one.reply({ verb: 'backup' })

    expect(await other.refusal({ verb: 'backup' })).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    one.leave()

    expect((await other.reply<Piece>({ verb: 'backup' })).bytes).toHaveLength(BACKUP_BYTES_MAX)
  })

  it('is begun anew by whoever has it', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await peer.reply(enqueue(1, 1_000_000))
    await peer.reply(enqueue(2, 1_000_000))
    const before = await peer.reply<Piece>({ verb: 'backup' })

    const { footer } = await contentsOf(
      await pull(peer, await peer.reply<Piece>({ verb: 'backup' })),
    )

    expect(footer.entries['task']).toBe(2)
    const stale: Request = { verb: 'backup', cursor: before.cursor ?? '' }
    expect(await peer.refusal(stale)).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is dropped when nobody asks for a minute', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await peer.reply(enqueue(1, 1_000_000))
    await peer.reply(enqueue(2, 1_000_000))
    const { cursor } = await peer.reply<Piece>({ verb: 'backup' })

    await rig.pass(BACKUP_IDLE_MS + 1)

    const late: Request = { verb: 'backup', cursor: cursor ?? '' }
    expect(await peer.refusal(late)).toMatchObject({ code: 'NOT_FOUND' })
    expect((await rig.peer('other').reply<Piece>({ verb: 'backup' })).bytes.length).toBeGreaterThan(
      0,
    )
  })

  it('answers one request at a time', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await peer.reply(enqueue(1, 1_000_000))
    await peer.reply(enqueue(2, 1_000_000))
    const { cursor } = await peer.reply<Piece>({ verb: 'backup' })
    const ask: Request = { verb: 'backup', cursor: cursor ?? '' }

    const first = peer.ask(ask)
    const second = peer.ask(ask)
    await rig.settle()

    expect(peer.answerTo(first)).toMatchObject({ kind: 'reply' })
    expect(peer.answerTo(second)).toMatchObject({ kind: 'refusal', error: { code: 'CONFLICT' } })
  })

  it('is refused in words if the store cannot be read', async () => {
    const rig = await PipelineRig.open()
    rig.store.failsReads = true

    const refusal = await rig.peer('p').refusal({ verb: 'backup' })

    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', details: { retryAfterMs: 5_000 } })
    expect(refusal.message).toContain('cannot be backed up')
  })

  it('fails on the day of damage, and names the key', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    await peer.reply(enqueue(1, 100))
    const key = taskKey('payload', aTaskId('work', 1))
    const value = Uint8Array.from((await rig.store.getMany([key]))[0] ?? [])
    value[20] = (value[20] ?? 0) ^ 1
    rig.image.tamper(key, value)

    const refusal = await peer.refusal({ verb: 'backup' })

    expect(refusal.code).toBe('INTERNAL')
    expect(refusal.message).toContain(`the checksum of key ${Buffer.from(key).toString('hex')}`)
    expect(refusal.message).toContain('the store is damaged')
  })

  it('that is begun anew answers what was asked of the one before', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.reads.shut()
    const before = peer.ask({ verb: 'backup' })
    await rig.settle()

    const after = peer.ask({ verb: 'backup' })
    await rig.settle()
    const whileReading = peer.answerTo(before)
    rig.store.reads.open()
    await rig.settle()

    expect(whileReading).toMatchObject({ kind: 'refusal', error: { code: 'CONFLICT' } })
    expect(peer.answerTo(after)).toMatchObject({ kind: 'reply' })
    expect(peer.heard).toHaveLength(2)
    expect(peer.conversation.inFlight).toBe(0)
  })

  it('is refused by a stop that does not wait for the disk', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    rig.store.reads.shut()
    const asked = peer.ask({ verb: 'backup' })
    await rig.settle()

    rig.pipeline.stop()

    expect(peer.answerTo(asked)).toMatchObject({ error: { code: 'UNAVAILABLE' } })
    expect(peer.conversation.inFlight).toBe(0)
    rig.store.reads.open()
    await rig.settle()
    expect(peer.heard).toHaveLength(1)
  })

  it('keeps nobody else out once all of it is given, and gives its end again until then', async () => {
    const rig = await PipelineRig.open()
    const one = rig.peer('one')
    const other = rig.peer('other')
    for (let number = 1; number <= 2; number += 1) await one.reply(enqueue(number, 900_000))
    const pieces = await pull(one, await one.reply<Piece>({ verb: 'backup' }))
    const ask: Request = { verb: 'backup', cursor: pieces.at(-2)?.cursor ?? '' }
    const again = await one.reply<Piece>(ask)

    const ofOther = await other.reply<Piece>({ verb: 'backup' })

    expect(again.cursor).toBe(null)
    expect(Buffer.compare(again.bytes, pieces.at(-1)?.bytes ?? new Uint8Array())).toBe(0)
    expect(ofOther.bytes.length).toBe(BACKUP_BYTES_MAX)
    expect(await one.refusal(ask)).toMatchObject({ code: 'NOT_FOUND' })
    // Not over: it keeps others out.
    expect(await one.refusal({ verb: 'backup' })).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
  })

  it('lives on while its last piece is asked for again', async () => {
    const rig = await PipelineRig.open()
    const peer = rig.peer('p')
    for (let number = 1; number <= 3; number += 1) await peer.reply(enqueue(number, 900_000))
    const first = await peer.reply<Piece>({ verb: 'backup' })
    const ask: Request = { verb: 'backup', cursor: first.cursor ?? '' }
    const second = await peer.reply<Piece>(ask)

    await rig.pass(BACKUP_IDLE_MS - 1)
    await peer.reply<Piece>(ask)
    await rig.pass(BACKUP_IDLE_MS - 1)

    const { footer } = await contentsOf([first, ...(await pull(peer, second))])
    expect(footer.entries['task']).toBe(3)
  })
})
