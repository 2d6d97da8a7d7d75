// Every crash point among the broker's own small files.

import { crashAmongFiles, recordFiles } from './file-point.ts'
import type { ProcessSweep } from './port-sweep.ts'

export async function sweepFiles(): Promise<ProcessSweep> {
  const scenario = await recordFiles()
  const violations: string[] = []
  for (const point of scenario.points) {
    const { kind, path } = scenario.operations[point.begun - 1] ?? { kind: 'none', path: '' }
    const name = `operation ${point.begun}, ${kind} ${path}, surviving: ${point.survival}`
    const found = await crashAmongFiles(scenario, point)
    violations.push(...found.map((text) => `${name}: ${text}`))
  }
  return { pointCount: scenario.points.length, violations }
}
