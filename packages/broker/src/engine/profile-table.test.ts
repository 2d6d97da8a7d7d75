// The table of profiles: each text once, as long as a task uses it.

import { InvariantError } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { type Profile, profileOf } from './profile.ts'
import { ProfileTable } from './profile-table.ts'
import { DEFAULT_QUEUE_SETTINGS, Queue } from './queue.ts'

const queue = new Queue(1, 'mail', DEFAULT_QUEUE_SETTINGS)

describe('ProfileTable', () => {
  it('keeps equal profiles once', () => {
    const table = new ProfileTable()

    const first = table.use(profileOf(queue, 'send', undefined))
    const second = table.use(profileOf(queue, 'send', { priority: 200 }))

    expect(second).toBe(first)
    expect([table.size, first.uses, table.at(first.index)]).toEqual([1, 2, first])
  })

  it('forgets a profile with its last use, and gives its number to another', () => {
    const table = new ProfileTable()
    const send = table.use(profileOf(queue, 'send', undefined))
    table.use(send)
    const number = send.index

    table.release(number)
    expect(table.find(send.text)).toBe(send)
    table.release(number)

    expect([table.size, table.find(send.text), send.index]).toEqual([0, undefined, -1])
    expect(() => table.at(number)).toThrow(InvariantError)
    expect(table.use(profileOf(queue, 'bill', undefined)).index).toBe(number)
    expect([...table].map(({ type }) => type)).toEqual(['bill'])
  })

  it('takes a forgotten profile in again', () => {
    const table = new ProfileTable()
    const send = table.use(profileOf(queue, 'send', undefined))
    table.release(send.index)

    expect(table.use(send)).toBe(send)
    expect([table.at(send.index), send.uses]).toEqual([send, 1])
  })

  describe('properties', () => {
    it('counts uses as a list of names would', () => {
      const anyChange = fc.record({
        type: fc.constantFrom('a', 'b', 'c', 'd'),
        isUse: fc.boolean(),
      })
      const property = fc.property(fc.array(anyChange, { maxLength: 100 }), (changes) => {
        const table = new ProfileTable()
        // An old object of a type may come back after a younger one has taken its place.
        const objects = new Map<string, Profile[]>()
        const uses: string[] = []
        for (const [at, { type, isUse }] of changes.entries()) {
          const made = objects.get(type) ?? []
          objects.set(type, made)
          if (isUse) {
            if (made.length < 3) made.push(profileOf(queue, type, undefined))
            table.use(made[at % made.length] as Profile)
            uses.push(type)
          } else if (uses.includes(type)) {
            table.release(table.find(profileOf(queue, type, undefined).text)?.index as number)
            uses.splice(uses.indexOf(type), 1)
          }
          const counted = [...table].map(({ type: name, uses: count }) => [name, count] as const)
          const expected = [...new Set(uses)].map(
            (name) => [name, uses.filter((other) => other === name).length] as const,
          )
          expect(new Map(counted)).toEqual(new Map(expected))
          expect(table.size).toBe(expected.length)
          for (const profile of table) expect(table.at(profile.index)).toBe(profile)
        }
      })
      assertProperty(property, 200)
    })
  })
})
