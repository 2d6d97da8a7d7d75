// Counting connections by the address they come from.

import { describe, expect, it } from 'vitest'
import { addressGroup, AddressLimits } from './address-limits.ts'

const HOST = '192.0.2.7'

function someLimits(limits: Partial<ConstructorParameters<typeof AddressLimits>[0]> = {}) {
  return new AddressLimits({
    connectionsMax: 3,
    unauthenticatedMax: 2,
    connectRateMax: 100,
    ...limits,
  })
}

describe('AddressLimits', () => {
  it('takes no more connections from an address than it may have open', () => {
    const limits = someLimits({ unauthenticatedMax: 100 })
    for (let count = 0; count < 3; count += 1) expect(limits.admit(HOST, 0)).toBeUndefined()

    expect(limits.admit(HOST, 0)).toBe('more than 3 from one address')
    expect(limits.admit('192.0.2.8', 0)).toBeUndefined()

    limits.closed(HOST, false)
    expect(limits.admit(HOST, 0)).toBeUndefined()
  })

  it('takes fewer from an address that opens them and says nothing', () => {
    const limits = someLimits()
    limits.admit(HOST, 0)
    limits.admit(HOST, 0)

    expect(limits.admit(HOST, 0)).toBe('more than 2 without a hello from one address')

    limits.greeted(HOST)
    expect(limits.admit(HOST, 0)).toBeUndefined()
    limits.closed(HOST, true)
    limits.closed(HOST, false)
    expect(limits.admit(HOST, 0)).toBeUndefined()
  })

  it('takes only so many in a second, even if each is closed at once', () => {
    const limits = someLimits({ connectRateMax: 5 })
    for (let count = 0; count < 5; count += 1) {
      expect(limits.admit(HOST, count)).toBeUndefined()
      limits.closed(HOST, false)
      limits.sweep(count)
    }

    expect(limits.admit(HOST, 999)).toBe('more than 5 new connections in a second from one address')
    expect(limits.admit(HOST, 1_000)).toBeUndefined()
  })

  it('does not limit this machine', () => {
    const limits = someLimits()
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
      for (let count = 0; count < 50; count += 1) expect(limits.admit(address, 0)).toBeUndefined()
      limits.greeted(address)
      limits.closed(address, true)
    }
    expect(limits.size).toBe(0)
  })

  it('forgets an address when nothing of it is left', () => {
    const limits = someLimits({ connectRateMax: 1 })
    limits.admit(HOST, 0)
    limits.admit(HOST, 0)
    limits.sweep(5_000)
    expect(limits.size).toBe(1)

    limits.closed(HOST, false)
    limits.sweep(5_000)

    expect(limits.size).toBe(0)
    limits.closed(HOST, false)
    limits.greeted(HOST)
  })
})

describe('addressGroup', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, group) => {
    expect(addressGroup(address)).toBe(group)
  })
})
