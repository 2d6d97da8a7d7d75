// Access tokens: made by chance, known by their hash.

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { newToken, tokenHash, tokenLine, tokenProblem } from './token.ts'

describe('a new token', () => {
  it('is good, and another one each time', () => {
    const token = newToken()

    expect(tokenProblem(token)).toBeUndefined()
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    expect(newToken()).not.toBe(token)
  })

  it('has a line for the configuration, with its hash and without itself', () => {
    const token = newToken()
    const hash = createHash('sha256').update(token).digest('hex')

    expect(tokenHash(token).toString('hex')).toBe(hash)
    expect(tokenLine(token)).toBe(`- { name: NAME, sha256: ${hash} }`)
  })
})

describe('a token', () => {
  it.each([
    ['hunter2', 'has 7 characters'],
    ['x'.repeat(1_025), 'is longer than 1024 bytes'],
    [`${'x'.repeat(32)} y`, 'has spaces'],
    [`${'x'.repeat(32)}\n`, 'has spaces or control characters'],
  ])('%j is refused', (token, problem) => {
    expect(tokenProblem(token)).toContain(problem)
  })
})
