// Overload from the command line: SECONDS (of each shape), SHAPE (one by its name), DIST (built packages), STRICT=0 (no goodput bound).

import { fileURLToPath } from 'node:url'
import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { runShape } from './shape.ts'
import { SHAPES } from './shapes.ts'

const packages = parameters.text('DIST') ?? fileURLToPath(new URL('../../../', import.meta.url))
const seconds = parameters.seconds('SECONDS', 600)
const isStrict = parameters.flag('STRICT', true)
const names = SHAPES.map(({ name }) => name)
const only = parameters.choice('SHAPE', names)
const shapes = SHAPES.filter(({ name }) => only === undefined || name === only)

let violations = 0
let doubts = 0
for (const shape of shapes) {
  const result = await runShape(shape, { packages, seconds, isStrict })
  const figures = Object.entries(result.figures).map(([name, value]) => {
    return `${name} ${value.toFixed(value < 10 ? 2 : 0)}`
  })
  const refusals = Object.entries(result.refusals).map(([code, count]) => `${code} ${count}`)
  process.stdout.write(
    `${shape.name}: ${figures.join(', ')}; refused: ${refusals.join(', ') || 'nothing'}\n`,
  )
  for (const violation of result.violations) process.stdout.write(`  VIOLATION: ${violation}\n`)
  for (const doubt of result.doubts) process.stdout.write(`  NO VERDICT: ${doubt}\n`)
  violations += result.violations.length
  doubts += result.doubts.length
}
process.stdout.write(
  `overload: ${shapes.length} shapes, ${violations} violations, ${doubts} without a verdict\n`,
)
process.exit(violations > 0 ? EXIT_VIOLATED : doubts > 0 ? EXIT_NO_VERDICT : 0)
