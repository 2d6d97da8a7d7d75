// Loopback and what only looks like it.

import { describe, expect, it } from 'vitest'
import { isLoopback } from './loopback.ts'

describe('loopback', () => {
  it.each(['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', 'localhost'])(
    'is %s',
    (address) => {
      expect(isLoopback(address)).toBe(true)
    },
  )

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.example.org', '127.0.0.1.nip.io', 'fe80::1', ''])(
    'is not %j',
    (address) => {
      expect(isLoopback(address)).toBe(false)
    },
  )
})
