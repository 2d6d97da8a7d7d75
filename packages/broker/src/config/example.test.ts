// The example: a file of YAML that a person can read.

import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configExample } from './example.ts'
import { dottedName, optionsOf, variableName } from './outline.ts'
import { configReference } from './reference.ts'
import { brokerConfig } from './config.ts'

describe('the example', () => {
  it('is the defaults and nothing else', () => {
    expect(brokerConfig.parse(parse(configExample()))).toEqual(brokerConfig.parse({}))
  })

  it('has no line that is too long for a terminal', () => {
    for (const line of configExample().split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })
})

describe('the reference', () => {
  it('has a row for every option, with its variable', () => {
    const reference = configReference()
    for (const { path } of optionsOf(brokerConfig)) {
      expect(reference).toContain(`| \`${dottedName(path)}\` | \`${variableName(path)}\` |`)
    }
  })
})
