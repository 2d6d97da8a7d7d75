// A process that measures the broker for the guard: once with each slow-down that it is told of.

import { measureRatios, type Ratios } from '../guard/measurement.ts'
import type { PlantName } from '../guard/plant.ts'

const results: Ratios[] = []
for (const plant of process.argv.slice(2)) results.push(await measureRatios(plant as PlantName))
process.stdout.write(JSON.stringify(results))
