// A failing run is made smaller as long as it fails in the same way.

import { describe, expect, it } from 'vitest'
import { kindOf, SimulationFailure } from './failure.ts'
import type { Plan } from './plan.ts'
import { shrink } from './shrink.ts'

const PLAN: Plan = { seed: 1, steps: 1_000, without: [] }

function failureOf(plan: Plan, law: string, event: number): SimulationFailure {
  return new SimulationFailure({ plan, law, event, story: [] }, undefined)
}

function partsOf(run: (plan: Plan) => Promise<void>): Parameters<typeof shrink>[1] {
  let nowMs = 0
  return { run, nowMs: () => (nowMs += 1), budgetMs: 1_000 }
}

describe('a failing run', () => {
  it('is left with the faults, events and actors that it needs', async () => {
    const run = async (plan: Plan): Promise<void> => {
      const isEnough = plan.steps >= 300 && (plan.workersMax ?? 3) >= 2
      const hasFaults = !plan.without.includes('cuts') && !plan.without.includes('stalls')
      if (isEnough && hasFaults)
        throw failureOf(plan, 'I2: token 12 is held twice', plan.steps + 50)
    }
    const failure = failureOf(PLAN, 'I2: token 99 is held twice', 1_050)

    const { plan } = await shrink({ plan: PLAN, failure }, partsOf(run))

    expect(plan.without).toContain('crash')
    expect(plan.without).not.toContain('cuts')
    expect(plan.without).not.toContain('stalls')
    expect(plan.steps).toBeGreaterThanOrEqual(300)
    expect(plan.steps).toBeLessThanOrEqual(320)
    expect(plan).toMatchObject({ workersMax: 2, producersMax: 1 })
  })

  it('is not mistaken for another one', async () => {
    const run = async (plan: Plan): Promise<void> => {
      throw failureOf(plan, 'I12: something else', 10)
    }
    const failure = failureOf(PLAN, 'I2: token 99 is held twice', 2_000)

    const shrunk = await shrink({ plan: PLAN, failure }, partsOf(run))

    expect(shrunk).toEqual({ plan: PLAN, failure })
  })

  it('is not run again when the time is over', async () => {
    let runs = 0
    const run = async (): Promise<void> => void (runs += 1)
    const failure = failureOf(PLAN, 'I2: held twice', 500)

    await shrink({ plan: PLAN, failure }, { ...partsOf(run), budgetMs: 0 })

    expect(runs).toBe(0)
  })

  it('is of a kind with those that differ in ids and numbers only', () => {
    const one = kindOf('I2: task 0fa3bc is held by token 4294967298; fact task-leased\n  at x')
    const other = kindOf('I2: task 99e1d2 is held by token 17; fact task-leased')

    expect(one).toBe(other)
  })
})
