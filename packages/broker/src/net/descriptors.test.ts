// Connections and files of the store share one limit.

import { describe, expect, it } from 'vitest'
import { connectionsWithin, descriptorsMax } from './descriptors.ts'

describe('the connections that a process can have', () => {
  it.each([
    [Infinity, Infinity],
    [1_024, 896],
    [160, 32],
    [64, 8],
  ])('with %d open files are %d', (files, connections) => {
    expect(connectionsWithin(files)).toBe(connections)
  })

  it('depend on what the system tells', () => {
    expect(descriptorsMax()).toBeGreaterThan(64)
  })
})
