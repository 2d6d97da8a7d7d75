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

  it.each(['CORRUPT', 'GAP'] as const)('for damage (%s) names the commands that help', (code) => {
    const damaged = { ...config, dataDir: "/srv/ann's tq" }
    const refusal = startRefusalOf(new StoreError(code, 'commit 7 is missing'), damaged)

    expect(refusal?.exit).toBe('store')
    expect(refusal?.reason).toMatch(/^commit 7 is missing\. /)
    const name = String.raw`/srv/ann'\''s tq`
    expect(refusal?.reason).toContain(`"tq-admin store check '${name}'"`)
    expect(refusal?.reason).toContain(`"tq-admin store restore FILE --to '${name}-restored'"`)
    expect(refusal?.reason).toContain(`"tq-admin store salvage '${name}' --to '${name}-salvaged'"`)
  })

  it.each([
    new StoreError('IO', 'LevelDB cannot open it: IO error: 000048.ldb: Too many open files'),
    new StoreError('IO', 'a log was not read: "Ignoring error IO error: Input/output error"'),
    new StoreError('IO', 'cannot open it', aSystemError('EIO', { syscall: 'read' })),
    new StoreError('IO', 'cannot open it', aSystemError('EMFILE', { syscall: 'open' })),
  ])('for what may pass (%s) asks to be tried again', (error) => {
    const refusal = startRefusalOf(error, config)

    expect(refusal?.exit).toBe('failed')
    expect(refusal?.reason).toContain('start again')
  })

  it.each([
    new StoreError('IO', 'cannot open it', aSystemError('EACCES', { syscall: 'open' })),
    new StoreError('IO', 'LevelDB cannot open it: IO error: LOCK: Permission denied'),
    new StoreError('MISSING', 'a restore was cut off'),
  ])('for what does not pass (%s) does not', (error) => {
    expect(startRefusalOf(error, config)).toEqual({ exit: 'store', reason: error.message })
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
