// Lanes: one a priority, the most urgent first; and who meets which requirements.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { LaneGroup, meets } from './lane.ts'
import { Rows } from './rows.ts'

function aGroup(): { readonly group: LaneGroup; readonly rows: Rows } {
  const rows = new Rows({ words: 4, capacity: 4 })
  return { rows, group: new LaneGroup('', undefined, { rows, placeWord: 0, tieDouble: 1 }) }
}

describe('LaneGroup', () => {
  it('makes a lane on first use and finds it from then on', () => {
    const { group } = aGroup()

    expect(group.find(128)).toBeUndefined()
    const lane = group.laneOf(128)

    expect(group.laneOf(128)).toBe(lane)
    expect(group.find(128)).toBe(lane)
  })

  it('is empty while all its lanes are', () => {
    const { group, rows } = aGroup()
    expect(group.isEmpty).toBe(true)

    group.laneOf(0)
    const { heap } = group.laneOf(255)
    const row = rows.acquire()
    heap.insert(row, 1)
    expect(group.isEmpty).toBe(false)

    heap.remove(row)
    expect(group.isEmpty).toBe(true)
  })

  it('keeps its lanes in the order of urgency, whatever the order of their making', () => {
    const property = fc.property(fc.array(fc.nat(255)), (priorities) => {
      const { group } = aGroup()
      for (const priority of priorities) group.laneOf(priority)

      const expected = [...new Set(priorities)].sort((a, b) => b - a)
      expect(group.lanes.map(({ priority }) => priority)).toEqual(expected)
    })
    assertProperty(property, 100)
  })
})

describe('meets', () => {
  it.each([
    ['no requirements are met by anybody', undefined, undefined, true],
    ['no requirements are met by a labelled worker', { gpu: true }, undefined, true],
    ['an empty set is met by a worker without labels', undefined, {}, true],
    ['labels are missing altogether', undefined, { gpu: true }, false],
    ['the label is missing', { cpu: true }, { gpu: true }, false],
    ['the label has another value', { gpu: false }, { gpu: true }, false],
    ['a number is not the text of it', { cores: '8' }, { cores: 8 }, false],
    ['one of two labels is missing', { gpu: true }, { gpu: true, zone: 'a' }, false],
    [
      'there is more than is asked for',
      { gpu: true, zone: 'a', cores: 8 },
      { gpu: true, zone: 'a' },
      true,
    ],
    ['an inherited name is no label', {}, { constructor: 'x' }, false],
  ])('%s', (_, labels, requires, expected) => {
    expect(meets(labels, requires)).toBe(expected)
  })
})
