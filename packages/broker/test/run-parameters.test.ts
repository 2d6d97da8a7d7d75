// Parameters of the rigs: what is not right is refused, and never taken for something else.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { RunParameters } from './run-parameters.ts'

const RIGS = [
  'clock',
  'corruption',
  'crash-points',
  'fuzz',
  'mutants',
  'overload',
  'partition',
  'power-cut',
  'simulation',
  'soak',
]
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

describe('run parameters', () => {
  it('are what the environment says, or the standard', () => {
    const given = read({ COUNT: '7', SECONDS: '0.5', MODE: 'two', KEEP: '1', EMPTY: '' })

    expect(given.count('COUNT', 100)).toBe(7)
    expect(given.count('OTHER', 100)).toBe(100)
    expect(given.count('EMPTY', 100)).toBe(100)
    expect(given.count('ALL', Infinity)).toBe(Infinity)
    expect(given.seconds('SECONDS', 60)).toBe(0.5)
    expect(given.choice('MODE', ['one', 'two'])).toBe('two')
    expect(given.choice('OTHER', ['one', 'two'])).toBeUndefined()
    expect([given.flag('KEEP', false), given.flag('OTHER', true)]).toEqual([true, true])
  })

  it.each(['x', '0', '-1', '1.5', '1e3', ' ', 'NaN', 'Infinity', '9'.repeat(30)])(
    'refuse COUNT=%s',
    (text) => {
      expect(() => read({ COUNT: text }).count('COUNT', 100)).toThrow(
        `COUNT is "${text}"; it must be a whole number, 1 or more, such as 100`,
      )
    },
  )

  it('refuse what is no time, no choice and no flag', () => {
    const wrong = read({ SECONDS: '0', MODE: 'three', KEEP: 'yes' })

    expect(() => wrong.seconds('SECONDS', 60)).toThrow('it must be a number, from 0.001 to')
    expect(() => wrong.choice('MODE', ['one', 'two'])).toThrow('one of "one", "two"')
    expect(() => wrong.flag('KEEP', false)).toThrow('one of "0", "1"')
  })
})

describe('a rig', () => {
  it.each([
    ['clock', 'COUNT', '0'],
    ['fuzz', 'SECONDS', 'x'],
    ['simulation', 'SEEDS', 'x'],
  ])('%s refuses %s=%s with a sentence and code 2', (rig, name, text) => {
    const { status, stderr, stdout } = runRig(rig, { [name]: text })

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^${name} is "${text}"; it must be .*\n$`))
  })

  // Starting each would cost a second of CPU: it is enough that none reads the environment itself.
  it.each(RIGS)('%s takes its parameters from here', (rig) => {
    const source = readFileSync(new URL(`${rig}/main.ts`, import.meta.url), 'utf8')

    expect(source).toContain("from '../run-parameters.ts'")
    expect(source).not.toContain('process.env')
  })
})

function runRig(
  rig: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const main = `packages/broker/test/${rig}/main.ts`
  const args = ['--import', 'tsx', '--conditions=@tq/source', main]
  const { PATH } = process.env
  return spawnSync(process.execPath, args, {
    cwd: ROOT,
    env: { PATH, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  })
}

function read(env: Readonly<Record<string, string>>): RunParameters {
  return new RunParameters(env, (sentence) => {
    throw new Error(sentence)
  })
}
