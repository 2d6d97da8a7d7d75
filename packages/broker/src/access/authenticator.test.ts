// Who is speaking: with tokens, without tokens, from here and from elsewhere.

import { describe, expect, it } from 'vitest'
import { Authenticator } from './authenticator.ts'
import { newToken, tokenHash } from './token.ts'

function anAuthenticator(tokens: Readonly<Record<string, string>>): Authenticator {
  const entries = Object.entries(tokens)
  return new Authenticator(
    entries.map(([token, name]) => ({ name, sha256: tokenHash(token).toString('hex') })),
  )
}

describe('an authenticator with tokens', () => {
  const [web, reports, exchanged] = [newToken(), newToken(), newToken()]
  const authenticator = anAuthenticator({ [web]: 'web', [reports]: 'reports', [exchanged]: 'web' })

  it('tells the principal behind each', () => {
    expect(authenticator.authenticate(web, false)).toEqual({ principal: 'web' })
    expect(authenticator.authenticate(reports, true)).toEqual({ principal: 'reports' })
  })

  it('lets two tokens stand for one principal while they are exchanged', () => {
    expect(authenticator.authenticate(exchanged, false)).toEqual({ principal: 'web' })
  })

  it('lets nobody in without one, not even from this machine', () => {
    expect(authenticator.authenticate(undefined, true)).toBeUndefined()
  })

  it.each([['short'], [newToken()], ['x'.repeat(5_000)], ['']])('refuses %j', (token) => {
    expect(authenticator.authenticate(token, true)).toBeUndefined()
  })

  it('refuses the hash itself', () => {
    expect(authenticator.authenticate(tokenHash(web).toString('hex'), true)).toBeUndefined()
  })
})

describe('an authenticator without tokens', () => {
  const authenticator = new Authenticator([])

  it('lets in whoever is on this machine, by no name', () => {
    expect(authenticator.authenticate(undefined, true)).toEqual({ principal: 'anonymous' })
    expect(authenticator.authenticate(newToken(), true)).toEqual({ principal: 'anonymous' })
  })

  it('lets in nobody from elsewhere', () => {
    expect(authenticator.authenticate(undefined, false)).toBeUndefined()
    expect(authenticator.authenticate(newToken(), false)).toBeUndefined()
  })
})
