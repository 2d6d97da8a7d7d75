// tq-admin as a whole: its help, wrong commands, interruption, and the end of a run.

import { describe, expect, it } from 'vitest'
import { admin, adminOf } from '../test/admin.ts'
import { sharedBroker } from '../test/broker-process.ts'
import { CLI_VERSION } from './version.ts'

const COMMANDS = [
  'task enqueue',
  'task get',
  'task list',
  'task cancel',
  'task redrive',
  'task wait',
  'queue stats',
  'queue pause',
  'queue resume',
  'queue purge',
  'worker list',
  'broker wait',
  'startup-log',
  'doctor',
  'store backup',
  'store verify',
  'store restore',
  'store check',
  'store salvage',
]

describe('help', () => {
  it('documents the exit codes and the nouns', async () => {
    const ran = await admin(['--help'])

    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toMatch(/Exit codes:\n {2}0 +done[^]*\n {2}130 +interrupted/)
    for (const noun of ['task', 'queue', 'worker', 'store', 'broker', 'startup-log', 'doctor']) {
      expect(ran.out).toMatch(new RegExp(`^  ${noun}`, 'm'))
    }
  })

  it.each(['', ...COMMANDS, 'task', 'queue', 'worker', 'store', 'broker'])(
    'has one example of "tq-admin %s" that this program understands',
    async (command) => {
      const { code, out } = await admin([...words(command), '--help'])

      const examples = out.match(/^Example:\n {2}(tq-admin .*)$/m)
      expect(code).toBe(0)
      expect(out.match(/Example:/g)).toHaveLength(1)
      expect(examples?.[1]).toContain(`tq-admin ${command}`.trim())
      expect(COMMANDS.some((known) => examples?.[1]?.includes(known))).toBe(true)
    },
  )

  it.each(COMMANDS)('of "%s" names the global options', async (command) => {
    const { out } = await admin([...words(command), '--help'])

    for (const option of ['--address', '--token-file', '--output', '--timeout']) {
      expect(out).toContain(option)
    }
  })

  it('fits the screen', async () => {
    const { out } = await admin(['task', 'enqueue', '--help'], { width: 70 })

    const prose = out.slice(0, out.indexOf('Example:'))
    expect(Math.max(...prose.split('\n').map((line) => line.length))).toBeLessThanOrEqual(70)
  })

  it('tells the version', async () => {
    expect(await admin(['--version'])).toEqual({ code: 0, out: `${CLI_VERSION}\n`, err: '' })
  })
})

describe('a wrong command', () => {
  it.each([
    [['tsk'], "unknown command 'tsk'\n(Did you mean task?)"],
    [['task', 'lst'], "unknown command 'lst'\n(Did you mean list?)"],
    [['queue', 'stats', '--adress', 'x'], '(Did you mean --address?)'],
    [['task', 'get'], "missing required argument 'id'"],
    [['task', 'get', 'a', 'b'], 'too many arguments'],
    [['task', 'list', '--state', 'pending'], 'Allowed choices are scheduled, queued, assigned'],
    [['task', 'list', '--limit', '0'], 'Write a whole number from 1 to 100000.'],
    [['queue', 'stats', '-o', 'xml'], 'Allowed choices are table, json.'],
    [['queue', 'stats', '--timeout', '5'], 'Write a number with a unit: 500ms, 5s'],
    [['queue', 'stats', '--timeout', '0s'], 'It must be 1ms or more'],
    [['queue', 'stats', '--timeout', '21d'], 'at most 20d.'],
  ])('%j is explained on stderr and exits with 2', async (args, text) => {
    const ran = await admin(args)

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(text)
    expect(ran.err).toContain('(add --help to see how it is used)')
  })

  it.each([[[]], [['task']]])('%j shows the help on stderr and exits with 2', async (args) => {
    const ran = await admin(args)

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toMatch(/^Usage: tq-admin/)
  })

  it('is red on a screen, and only there', async () => {
    const screen = await admin(['tsk'], { isScreen: true })
    const pipe = await admin(['tsk'])

    expect(screen.err).toMatch(/^\u001b\[31merror:\u001b\[39m unknown/)
    expect(pipe.err).toMatch(/^error: unknown/)
  })
})

describe('Ctrl-C', () => {
  const broker = sharedBroker()

  it('ends a command that waits, with 130', async () => {
    const interruption = new AbortController()
    const ran = await adminOf(broker, {
      interrupted: interruption.signal,
      onNote: (text) => {
        if (text.includes('waiting for its end')) interruption.abort(new Error('interrupted'))
      },
    })('task', 'enqueue', 'interrupted', 'welcome', '--wait')

    expect(ran).toMatchObject({ code: 130, out: '' })
    expect(ran.err).toMatch(/interrupted\n$/)
  })

  it('ends a command that was not begun', async () => {
    const ran = await adminOf(broker, { interrupted: AbortSignal.abort(new Error('interrupted')) })(
      'queue',
      'stats',
    )

    expect(ran).toMatchObject({ code: 130, out: '' })
  })
})

describe('a bug of tq-admin', () => {
  it('is called that, with a stack trace for its report', async () => {
    const ran = await admin(['task', 'enqueue', 'mail', 'welcome', '-'], {
      stdin: null as unknown as string,
    })

    expect(ran.code).toBe(1)
    expect(ran.err).toMatch(/^error: a bug in tq-admin: \w*Error: [^]* at /)
  })
})

function words(command: string): string[] {
  return command === '' ? [] : command.split(' ')
}
