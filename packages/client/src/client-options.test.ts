// Laws of a client's options.

import { describe, expect, it } from 'vitest'
import { clientSettings } from './client-options.ts'
import { CLIENT_VERSION } from './client-version.ts'
import manifest from '../package.json' with { type: 'json' }

describe('clientSettings', () => {
  it('finds a broker on loopback and has patience by default', () => {
    expect(clientSettings({})).toMatchObject({
      addresses: [{ host: '127.0.0.1', port: 7_461 }],
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 30_000,
      reconnect: { baseMs: 50, capMs: 5_000 },
      keepsDialing: true,
      inFlightMax: 256,
    })
  })

  it('puts the one address before the others', () => {
    const { addresses } = clientSettings({ address: 'a:1', addresses: ['b:2', 'c:3'] })

    expect(addresses.map((address) => address.host)).toEqual(['a', 'b', 'c'])
  })

  it.each([
    [{ addresses: [] }, 'addresses'],
    [{ address: 'a b' }, 'address'],
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs'],
    [{ connectTimeoutMs: 1.5 }, 'connectTimeoutMs'],
    [{ inFlightMax: -1 }, 'inFlightMax'],
    [{ inFlightMax: 15 }, 'inFlightMax'],
    [{ reconnect: { baseMs: Number.NaN } }, 'reconnect.baseMs'],
  ])('refuses %o and names the option', (options, field) => {
    expect(() => clientSettings(options)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', details: { field } }),
    )
  })
})

describe('CLIENT_VERSION', () => {
  it('is the version of the package', () => {
    expect(CLIENT_VERSION).toBe(manifest.version)
  })
})
