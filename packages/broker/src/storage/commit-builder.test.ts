// From facts to a batch: each key once, what is needed of each task, nothing of what is not kept.
import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { SEED } from '../../test/property.ts'
import { aHistory, play } from '../../test/random-history.ts'
import { contentsOf, faultsOf } from '../../test/store-check.ts'
import { StoredEngine } from '../../test/stored-engine.ts'
import { aTask } from '../../test/task-builder.ts'
import { hexOf } from '../engine/held.ts'
import type { BuiltCommit } from './commit-builder.ts'
import { FAMILIES, historyKey, journalKey, taskKey, type Family } from './key.ts'

let stored: StoredEngine

beforeEach(async () => {
  stored = await StoredEngine.open()
})

/** How many keys of each family a commit wrote and deleted, such as `task +1`. */
function written({ batch }: BuiltCommit): string[] {
  const names = Object.entries(FAMILIES) as [Family, number][]
  const familyOf = (key: Uint8Array): string =>
    names.find(([, byte]) => byte === key[0])?.[0] ?? '?'
  const counts = new Map<string, number>()
  const count = (key: Uint8Array, sign: string): void => {
    const name = `${familyOf(key)} ${sign}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  for (const key of batch.putKeys) count(key, '+')
  for (const key of batch.deleteKeys) count(key, '-')
  return [...counts].map(([name, number]) => `${name}${number}`).sort()
}

function countOf(family: Family): number {
  return contentsOf(stored.image)[family].size
}

function faults(): string[] {
  return faultsOf(stored.image, stored.state, { fromLsn: 1, lsn: stored.lsn })
}

describe('CommitBuilder', () => {
  it('has no work until something durable has happened', () => {
    expect(stored.builder.hasWork).toBe(false)
    stored.add('mail', { delayMs: 5 })
    expect(stored.builder.hasWork).toBe(true)
    stored.builder.build(1)
    expect(stored.builder.hasWork).toBe(false)

    stored.pass(5).expire()

    expect(stored.builder.hasWork).toBe(false)
  })

  it('writes a new task with its payload, its queue and the journal', async () => {
    stored.add('mail')

    const built = await stored.commit()

    expect(written(built)).toEqual(['journal +1', 'payload +1', 'queue +1', 'task +1'])
    expect(built.factCount).toBe(2)
    expect(faults()).toEqual([])
  })

  it('writes a changed task once, whatever happened to it', async () => {
    const id = stored.add('mail')
    await stored.commit()
    for (let round = 0; round < 3; round += 1) stored.setPriority(id, round)
    stored.claimOne({ leaseMs: 50_000 })
    stored.cancel(id)

    const built = await stored.commit()

    expect(written(built)).toEqual(['journal +1', 'session +1', 'task +1'])
    expect(built.factCount).toBe(6)
  })

  it('deletes the live record when a task has ended, and keeps its payload', async () => {
    const id = stored.add('mail')
    await stored.commit()
    stored.complete(stored.claimOne())

    const built = await stored.commit()

    expect(written(built)).toEqual([
      'done +1',
      'doneByEnd +1',
      'journal +1',
      'session +1',
      'task -1',
    ])
    expect(built.endedTasks).toHaveLength(1)
    expect(built.keptChanges).toEqual([{ queueNumber: 1, endClass: 'done', change: 1 }])
    expect(stored.state.index.find(id)).toBeUndefined()
    expect(faults()).toEqual([])
  })

  it('never writes a task as live that is enqueued and completed in one commit', async () => {
    stored.add('mail')
    stored.complete(stored.claimOne())

    const built = await stored.commit()

    expect(written(built)).toEqual([
      'done +1',
      'doneByEnd +1',
      'journal +1',
      'payload +1',
      'queue +1',
      'session +1',
    ])
    expect(faults()).toEqual([])
  })

  it('tells how many bytes there are about, while they are gathered', async () => {
    expect(stored.builder.bytes).toBe(0)
    stored.add('mail', { payload: new Uint8Array(50_000) })
    const about = stored.builder.bytes

    const built = await stored.commit()

    expect(about).toBeGreaterThan(50_000)
    expect(about).toBeLessThan(built.bytes * 1.5)
    expect(stored.builder.bytes).toBe(0)
  })

  it('counts bytes and the journal of what it built', async () => {
    stored.add('mail')

    const { batch, bytes, journalBytes } = await stored.commit()

    const sizes = batch.putKeys.map(
      (key, index) => key.length + (batch.putValues[index]?.length ?? 0),
    )
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(sizes.reduce((one, other) => one + other, 0))
    const journal = stored.image.get(journalKey(1))
    expect(journalBytes).toBe(11 + (journal?.length ?? 0))
  })

  it('writes what others put, and takes a delete back that is followed by a put', async () => {
    const key = Uint8Array.of(FAMILIES.dedupe, 0, 1)
    stored.builder.put(key, Uint8Array.of(1))
    stored.builder.delete(key)
    stored.builder.put(key, Uint8Array.of(2))

    const { batch } = await stored.commit()

    expect(batch.deleteKeys).toEqual([])
    expect(stored.image.get(key)).toEqual(Buffer.of(2))
  })

  it('tells of kept tasks that others take away', () => {
    stored.builder.noteKept({ queueNumber: 4, endClass: 'dead', change: -1 })
    stored.tick()

    expect(stored.builder.build(1).keptChanges).toEqual([
      { queueNumber: 4, endClass: 'dead', change: -1 },
    ])
    expect(stored.builder.build(2).keptChanges).toEqual([])
  })
})

describe('CommitBuilder with nothing kept', () => {
  beforeEach(async () => {
    stored.setQueue('mail', { retentionMs: 0, deadRetentionMs: 0 })
    await stored.commit()
  })

  it('deletes all of a task that has ended', async () => {
    stored.add('mail')
    stored.release(stored.claimOne())
    await stored.commit()
    expect(countOf('history')).toBe(1)
    stored.complete(stored.claimOne())

    const built = await stored.commit()

    expect(written(built)).toEqual(['history -1', 'journal +1', 'payload -1', 'task -1'])
    expect(faults()).toEqual([])
    expect([countOf('task'), countOf('payload'), countOf('done')]).toEqual([0, 0, 0])
  })

  it('takes chapters back that were to be written in the same commit', async () => {
    stored.add('mail')
    await stored.commit()
    stored.fail(stored.claimOne())
    stored.pass(60_000).expire()
    stored.fail(stored.claimOne(), { retryable: false })

    await stored.commit()

    expect(countOf('history')).toBe(0)
    expect(faults()).toEqual([])
  })

  it('writes nothing of a task that came and went within a commit', async () => {
    stored.add('mail')
    stored.claimOne()
    await stored.commit()
    const before = contentsOf(stored.image)
    stored.add('mail')
    stored.complete(stored.claimOne())

    const built = await stored.commit()

    expect(written(built)).toEqual(['journal +1'])
    expect(contentsOf(stored.image).task).toEqual(before.task)
  })

  it.each([
    ['done', { retentionMs: 0, deadRetentionMs: 9 }],
    ['done', { retentionMs: 9, retentionCount: 0, deadRetentionMs: 9 }],
    ['dead', { retentionMs: 9, deadRetentionMs: 0 }],
    ['dead', { retentionMs: 9, deadRetentionMs: 9, deadRetentionCount: 0 }],
  ])('decides for %s tasks by their own rule: %o', async (nothing, settings) => {
    stored.setQueue('mail', settings)
    stored.add('mail')
    stored.complete(stored.claimOne())
    stored.add('mail')
    stored.fail(stored.claimOne(), { retryable: false })

    const { keptChanges } = await stored.commit()

    const kept = nothing === 'done' ? 'dead' : 'done'
    expect(keptChanges).toEqual([{ queueNumber: 1, endClass: kept, change: 1 }])
    expect(faults()).toEqual([])
  })
})

describe('CommitBuilder and history', () => {
  it('keeps the first chapter and the last 31', async () => {
    const id = stored.add('mail')
    for (let attempt = 0; attempt < 40; attempt += 1) {
      stored.release(stored.claimOne())
      if (attempt % 3 === 0) await stored.commit()
    }
    await stored.commit()

    expect(countOf('history')).toBe(32)
    expect(stored.image.get(historyKey(id, 0))).toBeDefined()
    expect(stored.image.get(historyKey(id, 8))).toBeUndefined()
    expect(stored.image.get(historyKey(id, 9))).toBeDefined()
    expect(faults()).toEqual([])
  })

  it('keeps as many if all of them come in one commit', async () => {
    stored.add('mail')
    for (let attempt = 0; attempt < 40; attempt += 1) stored.release(stored.claimOne())
    await stored.commit()

    expect(countOf('history')).toBe(32)
    expect(faults()).toEqual([])
  })
})

describe('CommitBuilder and redrive', () => {
  it('takes the records of the end away, and makes a chapter of it', async () => {
    const id = stored.add('mail')
    stored.fail(stored.claimOne(), { retryable: false })
    await stored.commit()
    await stored.redrive(id)

    const built = await stored.commit()

    expect(written(built)).toEqual([
      'done -1',
      'doneByEnd -1',
      'history +1',
      'journal +1',
      'task +1',
    ])
    expect(built.keptChanges).toEqual([{ queueNumber: 1, endClass: 'dead', change: -1 }])
    const [chapter] = await stored.lookup.history(id, 1)
    expect(chapter).toMatchObject({ generation: 0, attempt: 1, error: { message: 'it broke' } })
    expect(faults()).toEqual([])
  })

  it('replaces the records of a task that ends again in the same commit', async () => {
    const id = stored.add('mail')
    stored.cancel(id)
    await stored.commit()
    await stored.redrive(id)
    stored.cancel(id)

    const built = await stored.commit()

    // The same moment and class: the entry in the order of ends has the same key.
    expect(written(built)).toEqual([
      'done +1',
      'doneByEnd +1',
      'history +1',
      'journal +1',
      'task -1',
    ])
    const changes = built.keptChanges.map(({ change }) => change)
    expect(changes).toEqual([-1, 1])
    const ended = (await stored.lookup.ended([id])).get(hexOf(id))
    expect(ended).toMatchObject({ generation: 1, chapters: 1 })
    expect(faults()).toEqual([])
  })

  it('moves the entry in the order of ends if it ends otherwise', async () => {
    const id = stored.add('mail')
    stored.fail(stored.claimOne(), { retryable: false })
    await stored.commit()
    await stored.redrive(id)
    stored.pass(1_000).cancel(id)
    await stored.commit()

    expect(countOf('doneByEnd')).toBe(1)
    expect(faults()).toEqual([])
  })

  it('leaves nothing of a task that is purged in the same commit', async () => {
    const id = stored.add('mail')
    stored.cancel(id)
    await stored.commit()
    await stored.redrive(id)
    stored.purge('mail')

    await stored.commit()

    expect([countOf('done'), countOf('doneByEnd'), countOf('history')]).toEqual([0, 0, 0])
    expect([countOf('task'), countOf('payload')]).toEqual([0, 0])
    expect(faults()).toEqual([])
  })
})

describe('CommitBuilder and purge', () => {
  it('keeps nothing of a purged task, whatever its queue keeps', async () => {
    stored.add('mail')
    await stored.commit()
    stored.add('mail')
    stored.purge('mail')

    const built = await stored.commit()

    expect(written(built)).toEqual(['journal +1', 'payload -1', 'task -1'])
    expect(built.keptChanges).toEqual([])
    expect(faults()).toEqual([])
  })
})

describe('CommitBuilder and idempotency keys', () => {
  it('writes a key with its age in the commit of its task', async () => {
    stored.add('mail', { idempotencyKey: 'k' })

    const built = await stored.commit()

    expect(written(built)).toContain('dedupe +1')
    expect(written(built)).toContain('dedupeByAge +1')
    expect(built.writtenKeys).toEqual(['1 k'])
    expect(faults()).toEqual([])
  })

  it('keeps the key when nothing is kept of its task', async () => {
    stored.setQueue('mail', { retentionMs: 0 })
    stored.add('mail', { idempotencyKey: 'k' })
    stored.complete(stored.claimOne())
    await stored.commit()

    expect([countOf('task'), countOf('payload'), countOf('dedupe')]).toEqual([0, 0, 1])
    expect(faults()).toEqual([])
  })
})

describe('CommitBuilder and sessions', () => {
  it('writes a session when it opens and when its worker changes, and deletes it', async () => {
    stored.register('w1')
    stored.register('w1', { gpu: true })
    expect(written(await stored.commit())).toEqual(['journal +1', 'session +1'])

    stored.leave('w1')
    expect(written(await stored.commit())).toEqual(['journal +1', 'session -1'])

    stored.register('w1')
    stored.leave('w1')
    await stored.commit()
    expect(countOf('session')).toBe(0)
  })
})

describe('CommitBuilder and ids that are used again', () => {
  it('writes the payload of a task whose id is just being forgotten', async () => {
    const id = stored.add('mail')
    stored.cancel(id)
    await stored.commit()
    stored.builder.delete(taskKey('done', id))
    stored.builder.delete(taskKey('payload', id))

    stored.enqueue('mail', [aTask({ id, payload: Uint8Array.of(7) })])
    await stored.commit()

    const [record] = await stored.lookup.payloads([id])
    expect([...(record?.payload ?? [])]).toEqual([7])
  })
})

describe('properties', () => {
  it('each batch is canonical, and no commit leaves a fault in the store', async () => {
    await fc.assert(
      fc.asyncProperty(aHistory, async (moves) => {
        const random = await StoredEngine.open()
        const { state, image } = random
        // The store refuses a batch that holds a key twice.
        await play(random, moves, () => {
          expect(faultsOf(image, state, { fromLsn: 1, lsn: random.lsn })).toEqual([])
          // LevelDB's binding would keep a copy of each empty one for ever.
          expect(image.peekEntries(EVERYTHING).filter(([, value]) => value.length === 0)).toEqual(
            [],
          )
        })
      }),
      { seed: SEED, numRuns: 100 },
    )
  })
})

const EVERYTHING = { from: Uint8Array.of(0), to: Uint8Array.of(0xff) }
