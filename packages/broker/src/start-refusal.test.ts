// Why a start was refused: the exit code, and what to do.

import { describe, expect, it } from 'vitest'
import { brokerConfig } from './config/config.ts'
import { startRefusalOf } from './start-refusal.ts'
import { StoreError } from './storage/port.ts'

const config = brokerConfig.parse({})

function aSystemError(code: string, more: object = {}): Error {
  return Object.assign(new Error(code), { code, syscall: 'listen', ...more })
}

describe('a refusal to start', () => {
  it('for the store has the words of the store', () => {
    const refusal = startRefusalOf(new StoreError('LOCKED', 'in use by process 7'), config)

    expect(refusal).toEqual({ exit: 'store', reason: 'in use by process 7' })
  })

  it.each([
    new StoreError('IO', 'LevelDB cannot open it: IO error: 000048.ldb: No space left on device'),
    new StoreError('IO', 'cannot open it', aSystemError('ENOSPC', { syscall: 'write' })),
    aSystemError('EDQUOT', { syscall: 'write' }),
  ])('for want of space (%s) asks for room, and to be tried again', (error) => {
    const refusal = startRefusalOf(error, config)

    expect(refusal?.exit).toBe('failed')
    expect(refusal?.reason).toContain(error.message)
    expect(refusal?.reason).toContain('Make room on the disk')
  })

  it.each([
    ['EADDRINUSE', { address: '127.0.0.1', port: 7461 }, '127.0.0.1:7461: the address is in use'],
    ['EADDRINUSE', { address: '127.0.0.1', port: 7462 }, 'choose --http-port'],
    ['EADDRNOTAVAIL', { address: '10.9.9.9', port: 7461 }, 'no such address'],
    ['ENOTFOUND', { syscall: 'getaddrinfo' }, '127.0.0.1:7461: this machine has no such address'],
    ['EACCES', { address: '127.0.0.1', port: 80 }, 'above 1023'],
    ['EWHATEVER', {}, 'the system says EWHATEVER'],
  ])('for %s with %j says %s', (code, more, words) => {
    const refusal = startRefusalOf(aSystemError(code, more), config)

    expect(refusal?.exit).toBe('address')
    expect(refusal?.reason).toContain(words)
  })

  it('is none for a bug', () => {
    expect(startRefusalOf(new TypeError('x is undefined'), config)).toBeUndefined()
    expect(startRefusalOf(aSystemError('EIO', { syscall: 'read' }), config)).toBeUndefined()
    expect(startRefusalOf('text', config)).toBeUndefined()
  })
})
