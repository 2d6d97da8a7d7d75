// Laws of addresses.

import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from './address.ts'

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:7000', { host: '127.0.0.1', port: 7_000 }],
    ['broker.local', { host: 'broker.local', port: 7_461 }],
    [' localhost:1 ', { host: 'localhost', port: 1 }],
    ['[::1]:7000', { host: '::1', port: 7_000 }],
    ['[::1]', { host: '::1', port: 7_461 }],
    ['::1', { host: '::1', port: 7_461 }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
  })

  it.each(['', ':7000', 'host:0', 'host:70000', 'host:x', 'a b', 'http://host', '1:2:3:x', '[::1'])(
    'refuses "%s" and shows what would be right',
    (text) => {
      expect(() => parseAddress(text)).toThrow('write host:port, such as 127.0.0.1:7461')
    },
  )

  it('takes back what formatAddress writes', () => {
    for (const text of ['127.0.0.1:7000', '[::1]:7461']) {
      expect(formatAddress(parseAddress(text))).toBe(text)
    }
  })
})
