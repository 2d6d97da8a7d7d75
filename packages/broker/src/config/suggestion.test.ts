// The nearest known name, and the distance behind it.

import { describe, expect, it } from 'vitest'
import { editDistance, nearestName, similarName } from './suggestion.ts'

describe('the distance between two names', () => {
  it.each([
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['por', 'port', 1],
    ['porrt', 'port', 1],
    ['pert', 'port', 1],
    ['', 'port', 4],
    ['abc', 'xyz', 3],
  ])('from %s to %s is %d', (one, other, distance) => {
    expect(editDistance(one, other)).toBe(distance)
  })
})

describe('a suggestion', () => {
  const known = ['port', 'host', 'heartbeatMs', 'deadMs']

  it('is the known name that is nearest', () => {
    expect(nearestName('prot', known)).toBe('port')
    expect(nearestName('heartbeatMS', known)).toBe('heartbeatMs')
    expect(nearestName('hartbeetMs', known)).toBe('heartbeatMs')
  })

  it('is not made if nothing is near', () => {
    expect(nearestName('retention', known)).toBeUndefined()
    expect(nearestName('x', known)).toBeUndefined()
  })

  it('may also be one that goes on, or stops, where the name does not', () => {
    expect(similarName('hostname', known)).toBe('host')
    expect(similarName('heartbeat', known)).toBe('heartbeatMs')
    expect(similarName('prot', known)).toBe('port')
    expect(similarName('ho', known)).toBeUndefined()
    expect(similarName('retention', known)).toBeUndefined()
  })
})
