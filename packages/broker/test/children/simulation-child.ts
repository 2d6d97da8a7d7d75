// A process that runs the simulation's seeds that its parent names, one after the other.

import { SimulationFailure } from '../simulation/failure.ts'
import type { Errand, Outcome } from '../simulation/fleet.ts'
import { shrink } from '../simulation/shrink.ts'
import { runSimulation } from '../simulation/simulation.ts'

// A signal from the terminal reaches the whole group: the parent says when it is time to go.
process.on('SIGINT', () => undefined)
process.on('message', (errand: Errand) => {
  void carryOut(errand).then((outcome) => process.send?.(outcome))
})

async function carryOut({ plan, isDouble, shrinkMs }: Errand): Promise<Outcome> {
  try {
    const result = await runSimulation({ plan })
    const { hash, steps, simulatedMs, points, verbs } = result
    const again = isDouble ? (await runSimulation({ plan })).hash : hash
    if (again !== hash) {
      const law = `the same seed does the same: its hash is ${hash}, then ${again}`
      throw new SimulationFailure({ plan, law, event: steps, story: [] }, undefined)
    }
    const reached = { points: [...points], verbs: [...verbs] }
    return { plan, isRepeated: isDouble, steps, simulatedMs, ...reached, failure: undefined }
  } catch (error) {
    const nothing = { plan, isRepeated: false, steps: 0, simulatedMs: 0, points: [], verbs: [] }
    if (!(error instanceof SimulationFailure)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { ...nothing, failure: { law: text, text } }
    }
    const run = (smaller: typeof plan): Promise<unknown> => runSimulation({ plan: smaller })
    const nowMs = (): number => performance.now()
    const shrunk = await shrink({ plan, failure: error }, { run, nowMs, budgetMs: shrinkMs })
    const { law, message } = shrunk.failure
    return { ...nothing, plan: shrunk.plan, failure: { law, text: message } }
  }
}
