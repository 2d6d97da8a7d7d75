// Access tokens: how one is made, and the hash by which the broker knows it.

import { createHash, randomBytes } from 'node:crypto'
import { limits } from '@tq/core'

/** Shorter ones could be guessed, as the hash is a fast one: tokens are random, not passwords. */
export const TOKEN_CHARACTERS_MIN = 32
/** 256 bits. */
const TOKEN_BYTES = 32

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}

/** What is wrong with a token, to be read after "the token"; undefined if nothing is. */
export function tokenProblem(token: string): string | undefined {
  if (token.length < TOKEN_CHARACTERS_MIN) {
    return `has ${token.length} characters; it needs at least ${TOKEN_CHARACTERS_MIN}, made by chance`
  }
  if (Buffer.byteLength(token) > limits.ACCESS_TOKEN_BYTES_MAX) {
    return `is longer than ${limits.ACCESS_TOKEN_BYTES_MAX} bytes`
  }
  return /[\s\p{Cc}]/u.test(token) ? 'has spaces or control characters in it' : undefined
}

/** The token's line for the list auth.tokens of a configuration file. */
export function tokenLine(token: string): string {
  return `- { name: NAME, sha256: ${tokenHash(token).toString('hex')} }`
}
