// Names of options: each in three spellings, no two the same.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { dottedName, flagName, optionsOf, outlineOf, variableName } from './outline.ts'
import { brokerConfig } from './config.ts'

describe('an option', () => {
  const path = ['queues', 'defaults', 'agingMsPerLevel']

  it('has a name in the file, in the environment and on the command line', () => {
    expect(dottedName(path)).toBe('queues.defaults.agingMsPerLevel')
    expect(variableName(path)).toBe('TQ_QUEUES_DEFAULTS_AGING_MS_PER_LEVEL')
    expect(flagName(path)).toBe('queues-defaults-aging-ms-per-level')
  })
})

describe('the outline', () => {
  const options = optionsOf(brokerConfig)

  it('gives no two options the same variable or flag', () => {
    expect(new Set(options.map(({ path }) => variableName(path))).size).toBe(options.length)
    expect(new Set(options.map(({ path }) => flagName(path))).size).toBe(options.length)
  })

  it('has a help that is a sentence for each option and group', () => {
    const entries = [...outlineOf(brokerConfig)].filter(({ path }) => path.length > 0)
    for (const { path, facts } of entries) expect(facts.help, dottedName(path)).toMatch(/^\S.*\.$/)
  })

  it('leaves out what is neither option nor group', () => {
    expect([...outlineOf(z.string())]).toEqual([])
  })
})
