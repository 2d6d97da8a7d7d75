// Who is speaking: from an access token to the principal that it stands for.

import { timingSafeEqual } from 'node:crypto'
import { limits } from '@tq/core'
import { TOKEN_CHARACTERS_MIN, tokenHash } from './token.ts'

export interface Principal {
  readonly principal: string
}

export interface KnownToken {
  readonly name: string
  /** SHA-256 of the token, in hexadecimal. */
  readonly sha256: string
}

/** Who speaks from this machine while no tokens are configured. */
const ANONYMOUS: Principal = { principal: 'anonymous' }

export class Authenticator {
  readonly #known: readonly (Principal & { readonly hash: Buffer })[]

  constructor(tokens: readonly KnownToken[]) {
    this.#known = tokens.map(({ name, sha256 }) => ({
      principal: name,
      hash: Buffer.from(sha256, 'hex'),
    }))
  }

  /**
   * The principal behind a token; undefined if it opens nothing. With tokens configured everybody
   * needs one. Without, whoever is on this machine is let in, and nobody else.
   */
  authenticate(token: string | undefined, isLoopback: boolean): Principal | undefined {
    if (this.#known.length === 0) return isLoopback ? ANONYMOUS : undefined
    if (token === undefined || token.length < TOKEN_CHARACTERS_MIN) return undefined
    if (token.length > limits.ACCESS_TOKEN_BYTES_MAX) return undefined
    return this.#find(tokenHash(token))
  }

  /** Looks at every entry, so that the time taken tells nothing about which one was near. */
  #find(hash: Buffer): Principal | undefined {
    let found: Principal | undefined
    for (const { principal, hash: known } of this.#known) {
      if (timingSafeEqual(hash, known)) found = { principal }
    }
    return found
  }
}
