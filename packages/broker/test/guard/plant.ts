// Slow-downs that are planted to see that the guard notices them: around the step of the engine.

import type { Partition } from '../../src/pipeline/partition.ts'

type Step = Partition['step']

export type Plant = (step: Step) => Step

/** Rounds of arithmetic of one step: about as much as all that is done for its tasks. */
const BUSY_ROUNDS = 100_000
/** Objects of one step that nobody needs. */
const NEEDLESS_OBJECTS = 3_000

let sink: unknown

export const PLANTS = {
  none: (step) => step,
  busy: (step) => (command, actor) => {
    let state = 1
    for (let round = 0; round < BUSY_ROUNDS; round += 1) state = Math.imul(state, 1_664_525) + round
    sink = state
    return step(command, actor)
  },
  allocations: (step) => (command, actor) => {
    sink = Array.from({ length: NEEDLESS_OBJECTS }, (_, at) => ({ at, next: sink === undefined }))
    return step(command, actor)
  },
} as const satisfies Record<string, Plant>

export type PlantName = keyof typeof PLANTS
