// T14 in short: whatever is asked of it, nothing acknowledged is lost, refusals are named, memory is bounded.

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runShape } from './shape.ts'
import { SHAPES } from './shapes.ts'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
const SECONDS = 2

describe('T14: a broker that is asked for too much', () => {
  it.each(SHAPES.map((shape) => [shape.name, shape] as const))(
    'stands %s',
    async (_, shape) => {
      const options = { packages: PACKAGES, seconds: SECONDS, isStrict: false }
      const result = await runShape(shape, options)

      expect(result.violations).toEqual([])
    },
    180_000,
  )
})
