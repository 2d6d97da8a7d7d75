// Connections and files of the store share one limit.

import { describe, expect, it } from 'vitest'
import { connectionsWithin, descriptorsMax, httpConnectionsWithin } from './descriptors.ts'

describe('the connections that a process can have', () => {
  it.each([
    [Infinity, Infinity],
    [1_024, 896],
    [160, 32],
    [64, 8],
  ])('with %d open files are %d', (files, connections) => {
    expect(connectionsWithin(files, 0)).toBe(connections)
  })

  it.each([
    [Infinity, 256, Infinity],
    [65_536, 256, 65_152],
    [1_024, 112, 784],
    [256, 16, 112],
    [64, 4, 8],
  ])('with %d open files are %d over HTTP, and %d beside them', (files, http, connections) => {
    expect(httpConnectionsWithin(files)).toBe(http)
    expect(connectionsWithin(files, http)).toBe(connections)
  })

  it('depend on what the system tells', () => {
    expect(descriptorsMax()).toBeGreaterThan(64)
  })
})
