// The command line: what it asks for, and what is no sense.

import { describe, expect, it } from 'vitest'
import { commandLineHelp, readCommandLine, type CommandLine } from './flags.ts'
import { flagName, optionsOf } from './outline.ts'
import { brokerConfig } from './config.ts'

const OPTIONS = optionsOf(brokerConfig)

function read(...args: string[]): Promise<CommandLine> {
  return readCommandLine(args, OPTIONS)
}

describe('the command line', () => {
  it('runs the broker if it asks for nothing else', async () => {
    expect(await read()).toEqual({ action: 'run', configFile: undefined, settings: [] })
  })

  it.each(['help', 'version', 'check-config', 'print-config-example', 'hash-token', 'new-token'])(
    'may ask for %s',
    async (action) => {
      expect((await read(`--${action}`)).action).toBe(action)
    },
  )

  it('names a configuration file and options', async () => {
    const { configFile, settings } = await read(
      '--config',
      'a.yml',
      '--port=1',
      '--allow-plaintext',
    )

    expect(configFile).toBe('a.yml')
    expect(settings.map(({ place, value }) => [place, value])).toEqual([
      ['--port', '1'],
      ['--allow-plaintext', 'true'],
    ])
  })

  it('may turn a switch off', async () => {
    expect((await read('--no-http-enabled')).settings[0]?.value).toBe('false')
    expect((await read('--http-enabled=false')).settings[0]?.value).toBe('false')
  })

  it.each([
    [['--prot', '1'], '--prot: there is no such flag; did you mean --port?'],
    [['--nonsense'], '--nonsense: there is no such flag; tq-broker --help lists all'],
    [['--http.port', '1'], '--http.port: there is no such flag; did you mean --http-port?'],
    [['--port'], 'Not enough arguments following: port'],
    [['--port', '1', '--port', '2'], '--port: is given more than once; once is enough'],
    [['--http-enabled=maybe'], '--http-enabled: must be true or false; got "maybe"'],
    [['stray'], 'stray: tq-broker takes flags only'],
    [['--', 'stray'], 'stray: tq-broker takes flags only'],
  ])('%j is refused: %s', async (args, problem) => {
    await expect(readCommandLine(args, OPTIONS)).rejects.toMatchObject({ problems: [problem] })
  })

  it('has a help with every flag', async () => {
    const help = await commandLineHelp(OPTIONS)

    for (const { path } of OPTIONS) expect(help).toContain(`--${flagName(path)}`)
    expect(help).toContain('TQ_CONFIG')
    expect(help).toContain('Example:')
  })
})
