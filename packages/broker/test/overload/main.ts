// Overload from the command line: SECONDS (of each shape), SHAPE (one by its name), DIST (built packages), STRICT=0 (no goodput bound).

import { fileURLToPath } from 'node:url'
import { runShape } from './shape.ts'
import { SHAPES } from './shapes.ts'

const packages = process.env['DIST'] ?? fileURLToPath(new URL('../../../', import.meta.url))
const seconds = Number(process.env['SECONDS'] ?? 600)
const isStrict = process.env['STRICT'] !== '0'
const only = process.env['SHAPE']
const shapes = SHAPES.filter(({ name }) => only === undefined || name === only)
if (shapes.length === 0 || !(seconds > 0)) {
  const names = SHAPES.map(({ name }) => `"${name}"`).join(', ')
  throw new Error(`SHAPE must be one of ${names}, and SECONDS more than 0`)
}

let violations = 0
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
  violations += result.violations.length
}
process.stdout.write(`${shapes.length} shapes, ${violations} violations\n`)
process.exit(violations > 0 ? 1 : 0)
