// Reading the command line of the bench.

import { describe, expect, it } from 'vitest'
import { SCENARIOS } from '../scenario/scenarios.ts'
import { helpText, type MeasureOrder, readArguments } from './arguments.ts'
import { UsageError } from './usage-error.ts'

function measure(...argv: readonly string[]): MeasureOrder {
  const order = readArguments(argv, SCENARIOS)
  if (order.kind !== 'measure') throw new Error(`${order.kind} is no order to measure`)
  return order
}

function refusal(...argv: readonly string[]): string {
  try {
    readArguments(argv, SCENARIOS)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'nothing was wrong'
}

describe('the command line of the bench', () => {
  it('without a word measures the quick phases, once', () => {
    const { phases, rounds, asked } = measure()

    expect(phases).toContain('mixed')
    expect(phases).not.toContain('steady')
    expect(rounds).toBe(1)
    expect(asked).toMatchObject({ tasks: 50_000, payloadBytes: 200, retentionCount: 0 })
  })

  it('takes phases by name, each once, or all', () => {
    expect(measure('--phase=drain,mixed,drain').phases).toEqual(['drain', 'mixed'])
    expect(measure('--phase', 'all').phases).toEqual(Object.keys(SCENARIOS))
  })

  it('takes numbers, fractions of time, and the retention of the product', () => {
    const order = measure('--tasks=7', '--rounds=3', '--seconds=0.5', '--retention=default')

    expect(order.rounds).toBe(3)
    expect(order.asked).toMatchObject({ tasks: 7, seconds: 0.5, retentionCount: undefined })
  })

  it('takes files to compare and to draw', () => {
    expect(readArguments(['compare', 'a', 'b'], SCENARIOS)).toEqual({
      kind: 'compare',
      a: 'a',
      b: 'b',
    })
    expect(readArguments(['plot', 'a', '--plot', 'dir'], SCENARIOS)).toEqual({
      kind: 'plot',
      files: ['a'],
      directory: 'dir',
    })
  })

  it('says what is wrong, and what would be right', () => {
    expect(refusal('--phase=mixd')).toMatch(/^there is no phase "mixd"; there are enqueue, drain/)
    expect(refusal('--phase=,')).toMatch(/^--phase names none; there are/)
    expect(refusal('--tasks=many')).toBe(
      '--tasks is "many"; it must be a whole number from 1 to 10000000, such as 50000',
    )
    expect(refusal('--rounds=0')).toMatch(/^--rounds is "0"; it must be a whole number from 1/)
    expect(refusal('--seconds=1e3')).toMatch(/^--seconds is "1e3"; it must be a number from/)
    expect(refusal('--task=5')).toBe("Unknown option '--task'; --help lists what there is")
    expect(refusal('--profile=p', '--against=a')).toMatch(/^--profile slows both brokers/)
    expect(refusal('compare', 'a')).toMatch(/^compare takes two files/)
    expect(refusal('plot', 'a')).toMatch(/^plot takes files and a folder/)
    expect(refusal('draw')).toMatch(/^"draw" is no command/)
  })

  it('helps with every phase and every option', () => {
    const help = helpText(SCENARIOS)

    expect(readArguments(['--help', '--phase=mixd'], SCENARIOS)).toEqual({ kind: 'help' })
    for (const name of Object.keys(SCENARIOS)) expect(help).toContain(` ${name} `)
    for (const name of ['rounds', 'against', 'waiting-max', 'profile']) {
      expect(help).toContain(`--${name} `)
    }
  })
})
