// The race of lanes against the obvious: all tasks sorted.

import { compareHeads, type QueueOrder } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anEngine } from '../../test/engine-builder.ts'
import { assertProperty } from '../../test/property.ts'
import { LaneRace } from './lane-race.ts'
import { lanesFor } from './pick.ts'
import type { Queue } from './queue.ts'
import { NO_ROW } from './rows.ts'

const anyTask = fc.record({ priority: fc.nat(255), waitMs: fc.nat(20) })
const anyOrder = fc.constantFrom<QueueOrder>('aging', 'strict')

describe('a race of lanes', () => {
  it('is over before it begins if there are no lanes', () => {
    const rig = anEngine()
    rig.add('mail')
    const queue = rig.state.queuesByName.get('mail') as Queue

    expect(new LaneRace(rig.state, queue, []).first()).toBe(NO_ROW)
  })

  it('gives the tasks of hundreds of lanes in the order of compareHeads', () => {
    const property = fc.property(
      fc.array(anyTask, { minLength: 1, maxLength: 400 }),
      anyOrder,
      fc.constantFrom(0, 1, 30),
      (wishes, kind, agingMsPerLevel) => {
        const rig = anEngine({ queueDefaults: { order: kind, agingMsPerLevel } })
        const heads = wishes.map(({ priority, waitMs }, sequence) => {
          rig.pass(waitMs)
          const id = rig.add('mail', { priority })
          return { id, priority, rankBaseMs: rig.wallMs, sequence }
        })
        const queue = rig.state.queuesByName.get('mail') as Queue
        const race = new LaneRace(rig.state, queue, lanesFor(undefined, queue, 0))

        const raced = wishes.map(() => {
          const task = race.first()
          const lane = queue.groups.get('')?.find(rig.state.tasks.priority(task))
          lane?.heap.remove(task)
          race.advance()
          return rig.state.tasks.id(task)
        })

        const order = { kind, agingMsPerLevel }
        expect(raced).toEqual(
          heads.toSorted((a, b) => compareHeads(a, b, order)).map(({ id }) => id),
        )
        expect(race.first()).toBe(NO_ROW)
      },
    )
    assertProperty(property, 40)
  })
})
