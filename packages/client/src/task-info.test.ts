// Laws of descriptions at the SDK's face.

import { describe, expect, it } from 'vitest'
import { wireTask } from '../test/wire-task.ts'
import { ClaimedTask } from './claimed-task.ts'
import { itemsAnswer, throwIfRefused } from './items-answer.ts'
import { OpaqueBytes, bytesOf } from './opaque-bytes.ts'
import { TaskFailedError } from './task-failed-error.ts'
import { taskIdBytes, taskIdText } from './task-id-text.ts'

describe('task ids', () => {
  it('are text outside and bytes inside', () => {
    const { id, idBytes } = new ClaimedTask(wireTask())

    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(taskIdBytes(id)).toEqual(idBytes)
    expect(taskIdText(idBytes)).toBe(id)
  })

  it.each(['', 'abc', '00000000-0000-4000-8000-000000000000', 7 as unknown as string])(
    'refuse %s',
    (text) => {
      expect(() => taskIdBytes(text)).toThrow('must be a UUIDv7')
    },
  )
})

describe('ClaimedTask', () => {
  it('decodes its payload, and shows what the broker left out', () => {
    const task = new ClaimedTask(wireTask({ payload: { a: 1 }, extra: { priority: 200 } }))

    expect(task.payload).toEqual({ a: 1 })
    expect(task).toMatchObject({ priority: 200, failures: 0, losses: 0, cancelRequested: false })
  })
})

describe('OpaqueBytes', () => {
  it('go as they are, while all else becomes MessagePack', () => {
    expect(bytesOf(new OpaqueBytes(Uint8Array.of(1, 2)))).toEqual(Uint8Array.of(1, 2))
    expect([...bytesOf('a')]).toEqual([0xa1, 0x61])
  })
})

describe('throwIfRefused', () => {
  it('throws the first refusal, or gives the answer back', () => {
    const fine = itemsAnswer({ ok: 2 })
    expect(throwIfRefused(fine)).toBe(fine)

    const bad = itemsAnswer({ ok: 1, refused: [[1, 'NOT_FOUND', 'gone']] })
    expect(() => throwIfRefused(bad)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', details: { index: 1 } }),
    )
  })
})

describe('TaskFailedError', () => {
  it('says how and why the task ended', () => {
    const dead = new TaskFailedError('t1', {
      state: 'dead',
      reason: 'attempts_exhausted',
      error: { message: 'boom' },
    })
    const cancelled = new TaskFailedError('t1', { state: 'cancelled', reason: 'cancelled' })

    expect(dead.message).toBe('task t1 is dead (attempts_exhausted): boom')
    expect(cancelled.message).toBe('task t1 is cancelled (cancelled)')
  })
})
