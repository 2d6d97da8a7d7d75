// Every crash point of the scenario at the storage port.

import { canHappen, CRASHES } from './crashing-store.ts'
import { crashAtPort, portCalls, type PortScenario } from './port-point.ts'

export interface ProcessSweep {
  readonly pointCount: number
  readonly violations: readonly string[]
}

export async function sweepPort(scenario: PortScenario): Promise<ProcessSweep> {
  const calls = await portCalls(scenario)
  const violations: string[] = []
  let pointCount = 0
  for (const [index, call] of calls.entries()) {
    for (const crash of CRASHES.filter((one) => canHappen(one, call))) {
      pointCount += 1
      const name = `call ${index + 1}, ${call}, ${crash}`
      const { hit, violations: found } = await crashAtPort(index + 1, crash, scenario)
      if (hit !== call) violations.push(`${name}: came to ${hit ?? 'nothing'} instead`)
      violations.push(...found.map((text) => `${name}: ${text}`))
    }
  }
  return { pointCount, violations }
}
