// From sources to a configuration: which source wins, and how everything that is wrong is told.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Environment } from './env.ts'
import { ConfigError } from './error.ts'
import { configExample } from './example.ts'
import { readCommandLine } from './flags.ts'
import { loadConfig, type LoadedConfig } from './load.ts'
import { optionsOf } from './outline.ts'
import { brokerConfig } from './config.ts'

const SHA256 = 'a'.repeat(64)

interface Given {
  readonly yaml?: string
  readonly mode?: number
  readonly environment?: Environment
  readonly flags?: readonly string[]
}

async function load(given: Given): Promise<LoadedConfig> {
  const { flags = [], environment = {} } = given
  const file = given.yaml === undefined ? undefined : await fileOf(given.yaml, given.mode)
  const { settings } = await readCommandLine(flags, optionsOf(brokerConfig))
  return loadConfig({ file, environment, flags: settings })
}

async function fileOf(yaml: string, mode = 0o600): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-config-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'tq.yml')
  await writeFile(path, yaml)
  await chmod(path, mode)
  return path
}

/** The problems, with the file's directory cut away. */
async function problems(given: Given): Promise<string[]> {
  const error = await load(given).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error })
  return error.problems.map((problem) => problem.replace(/^\S*tq\.yml/, 'tq.yml'))
}

describe('the sources', () => {
  it('are nothing but defaults if nobody says otherwise', async () => {
    const { config, warnings } = await load({})

    expect(config).toEqual(brokerConfig.parse({}))
    expect(warnings).toEqual([])
  })

  it('win over each other: flags over environment over file over defaults', async () => {
    const yaml = 'port: 1\nhttp:\n  port: 2\nlimits:\n  tasksMax: 3\n'
    const environment = { TQ_HTTP_PORT: '20', TQ_LIMITS_TASKS_MAX: '30' }
    const { config } = await load({ yaml, environment, flags: ['--limits-tasks-max', '300'] })

    expect(config.port).toBe(1)
    expect(config.http.port).toBe(20)
    expect(config.limits.tasksMax).toBe(300)
    expect(config.limits.inFlightMax).toBe(256)
  })

  it('read texts, numbers with units, switches, lists and maps alike', async () => {
    const timeouts = '{ video: { kind: fixed, ms: 2h } }'
    const environment = {
      TQ_DATA_DIR: '2026',
      TQ_JOURNAL_AGE_MS: '2d',
      TQ_HTTP_ENABLED: 'false',
      TQ_LOG_LEVEL: 'debug',
      TQ_QUEUES_DEFAULTS_RETRY_NOT_RETRYABLE: '[TypeError, RangeError]',
      TQ_QUEUES_DEFAULTS_TIMEOUTS: timeouts,
    }
    const { config } = await load({ environment })

    expect(config.dataDir).toBe('2026')
    expect(config.journal.ageMs).toBe(172_800_000)
    expect(config.http.enabled).toBe(false)
    expect(config.log.level).toBe('debug')
    expect(config.queues.defaults.retry.notRetryable).toEqual(['TypeError', 'RangeError'])
    expect(config.queues.defaults.timeouts).toEqual({ video: { kind: 'fixed', ms: 7_200_000 } })
  })

  it('may leave groups and variables empty', async () => {
    const yaml = 'http:\nqueues:\n  defaults:\n'
    const { config } = await load({ yaml, environment: { TQ_PORT: '' } })

    expect(config).toEqual(brokerConfig.parse({}))
  })

  it('may be an empty file, or the example', async () => {
    expect((await load({ yaml: '' })).config).toEqual(brokerConfig.parse({}))
    expect((await load({ yaml: configExample() })).config).toEqual(brokerConfig.parse({}))
  })
})

describe('a refusal', () => {
  it('names file, line and column, what was wrong and what would be right', async () => {
    const yaml = 'port: 7461\nhttp:\n  port: http\n'

    expect(await problems({ yaml })).toEqual([
      'tq.yml:3:9: http.port must be a whole number from 0 to 65,535; got "http"',
    ])
  })

  it('names the variable or the flag', async () => {
    const environment = { TQ_LIMITS_IN_FLIGHT_MAX: '0' }
    const flags = ['--log-level', 'loud']

    expect(await problems({ environment, flags })).toEqual([
      '--log-level: log.level must be one of fatal, error, warn, info, debug, silent; got "loud"',
      'TQ_LIMITS_IN_FLIGHT_MAX: limits.inFlightMax must be a whole number from 16 to 4,096; got "0"',
    ])
  })

  it('lists everything at once, in the order of the file', async () => {
    const yaml = [
      'port: x',
      'http: 5',
      'htp: {}',
      'workers:',
      '  heartbeatMs: 20s',
      'limits:',
      '  tasksMax: 1.5',
      '  freeBytesMin: 1GB',
      'log: []',
    ].join('\n')
    const starts = (await problems({ yaml })).map((line) => line.split(' ').slice(0, 2).join(' '))

    expect(starts).toEqual([
      'tq.yml:1:7: port',
      'tq.yml:2:7: http',
      'tq.yml:3:1: there',
      'tq.yml:5:16: workers.deadMs',
      'tq.yml:7:13: limits.tasksMax',
      'tq.yml:8:17: limits.freeBytesMin',
      'tq.yml:9:6: log',
    ])
  })

  it('of an unknown key says which one may have been meant', async () => {
    const yaml = 'prot: 1\ntokens: []\nhttp:\n  prt: 1\nhttp.port: 2\nnonsense: 3\n'

    expect(await problems({ yaml })).toEqual([
      'tq.yml:1:1: there is no option prot; did you mean port?',
      'tq.yml:2:1: there is no option tokens; did you mean auth.tokens?',
      'tq.yml:4:3: there is no option http.prt; did you mean http.port?',
      'tq.yml:5:1: there is no option http.port; options are nested, as in config.example.yml',
      'tq.yml:6:1: there is no option nonsense',
    ])
  })

  it('of a variable says which one may have been meant', async () => {
    expect(await problems({ environment: { TQ_HTTP_PROT: '1' } })).toEqual([
      'TQ_HTTP_PROT: there is no such option; did you mean TQ_HTTP_PORT?',
    ])
  })

  it('of what Kubernetes puts into the environment says so', async () => {
    const [problem] = await problems({ environment: { TQ_PORT: 'tcp://10.0.0.1:7461' } })

    expect(problem).toContain('enableServiceLinks: false')
  })

  it('of a token never repeats it', async () => {
    const yaml = 'auth:\n  tokens:\n    - { name: web, sha256: hunter2hunter2 }\n    - { nam: x }\n'
    const lines = await problems({ yaml })

    expect(lines.join('\n')).not.toContain('hunter2')
    expect(lines[0]).toMatch(/^tq\.yml:3:28: auth\.tokens\[0\]\.sha256 must be the SHA-256/)
    expect(lines.join('\n')).toContain('auth.tokens[1] has the unknown key nam')
    expect(lines.join('\n')).toContain('auth.tokens[1].name must be a text; got nothing')
  })

  it('of a list or map describes the whole of it', async () => {
    expect(await problems({ flags: ['--auth-tokens', '[{ name: '] })).toEqual([
      '--auth-tokens: auth.tokens must be a list of at most 1000 maps with name and sha256; got a text of 9 characters',
    ])
    expect(await problems({ yaml: 'auth:\n  tokens: 5\n' })).toEqual([
      'tq.yml:2:11: auth.tokens must be a list of at most 1000 maps with name and sha256; got a number',
    ])
  })

  it('of a timeout policy names what is wrong in it', async () => {
    const policies = ['a: { kind: fixd }', 'b: { kind: fixed, ms: 0 }', 'c: 5']
    const yaml = `queues:\n  defaults:\n    timeouts:\n      ${policies.join('\n      ')}\n`

    expect((await problems({ yaml })).map((line) => line.split(';')[0])).toEqual([
      'tq.yml:4:18: queues.defaults.timeouts.a.kind must be a map with kind fixed, duration-hint or size-hint',
      'tq.yml:5:29: queues.defaults.timeouts.b.ms must be a whole number from 1 to 2,592,000,000 (30d), in ms, or with a unit such as 500ms, 15s, 5m, 24h or 7d',
      'tq.yml:6:10: queues.defaults.timeouts.c must be a map with kind fixed, duration-hint or size-hint',
    ])
  })

  it('shortens a long value', async () => {
    const [problem] = await problems({ yaml: `port: ${'x'.repeat(1_000)}\n` })

    expect(problem?.length).toBeLessThan(200)
  })
})

describe('a file', () => {
  it('that does not exist is named', async () => {
    await expect(loadConfig({ file: '/none/tq.yml', environment: {}, flags: [] })).rejects.toThrow(
      '/none/tq.yml: cannot be read: there is no such file',
    )
  })

  it('that is a directory is refused', async () => {
    await expect(loadConfig({ file: tmpdir(), environment: {}, flags: [] })).rejects.toThrow(
      'cannot be read',
    )
  })

  it('that is far too large is refused', async () => {
    const [problem] = await problems({ yaml: `# ${'x'.repeat(1024 * 1024)}` })
    expect(problem).toContain('a configuration has at most 1048576')
  })

  it('that is not YAML is refused with each place', async () => {
    const lines = await problems({ yaml: 'port: [1\nhost: "x\n' })
    expect(lines[0]).toMatch(/^tq\.yml:\d+:\d+: /)
  })

  it('with the same key twice is refused', async () => {
    const [problem] = await problems({ yaml: 'port: 1\nport: 2\n' })
    expect(problem).toMatch(/^tq\.yml:2:1: .*unique/)
  })

  it('that is no map is refused', async () => {
    expect(await problems({ yaml: '- port\n' })).toEqual([
      'tq.yml:1:1: must be a map of options, such as "port: 7461"',
    ])
  })

  it('with aliases that multiply is refused', async () => {
    const yaml = `a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
`
    expect((await problems({ yaml }))[0]).toContain('alias')
  })

  it('that anybody may read is warned of if it has tokens in it', async () => {
    const yaml = `auth:\n  tokens:\n    - { name: web, sha256: ${SHA256} }\n`

    expect((await load({ yaml, mode: 0o644 })).warnings[0]).toContain('chmod 640')
    expect((await load({ yaml, mode: 0o640 })).warnings).toEqual([])
    expect((await load({ yaml: 'port: 1\n', mode: 0o644 })).warnings).toEqual([])
  })
})

describe('the environment', () => {
  it('may hold variables of other programs, which are named', async () => {
    const environment = { TQ_ADDRESS: 'x', TQ_PORT_7461_TCP_ADDR: 'y', TQ_CONFIG: 'z', PATH: 'p' }
    const { warnings } = await load({ environment })

    expect(warnings).toEqual([
      'environment variables that are no options of the broker: TQ_PORT_7461_TCP_ADDR',
    ])
  })
})

describe('the environment of a worker or of tq-admin', () => {
  it('is no reason to refuse a broker in it', async () => {
    const names = 'TOKEN TOKEN_FILE ADDRESS MODULE QUEUES NAME LABEL CONCURRENCY LEASE_MS DRAIN_MS'
    const more = 'ORDER MIN_PRIORITY SEED OUTPUT TIMEOUT'
    const variables = `${names} ${more}`.split(' ').map((name) => [`TQ_${name}`, 'x'])

    await expect(
      load({ environment: Object.fromEntries(variables) as Environment }),
    ).resolves.toBeDefined()
  })
})

describe('a rule between options', () => {
  const token = `[{ name: web, sha256: ${SHA256} }]`

  it('lets nobody listen beyond loopback by accident', async () => {
    const [problem, ...others] = await problems({ flags: ['--host', '0.0.0.0'] })

    expect(others).toEqual([])
    expect(problem).toBe(
      '--host: host is 0.0.0.0, which other machines reach; that needs auth.tokens and allowPlaintext: true (this version speaks no TLS of its own: put it on a private network or behind a TLS tunnel), or host: 127.0.0.1',
    )
  })

  it('wants both a token and the word that there is no TLS', async () => {
    const withToken = ['--host', '::', '--auth-tokens', token]
    expect((await problems({ flags: withToken }))[0]).toContain('needs allowPlaintext: true (')
    const withWord = ['--host', '::', '--allow-plaintext']
    expect((await problems({ flags: withWord }))[0]).toContain('needs auth.tokens (')
    await expect(load({ flags: [...withToken, '--allow-plaintext'] })).resolves.toBeDefined()
  })

  it('holds for the HTTP port as well, unless anonymous readers are allowed', async () => {
    const beyond = ['--http-host', '10.0.0.5']
    expect((await problems({ flags: beyond }))[0]).toContain('auth.tokens (or http.allowAnonymous')
    expect(await problems({ flags: [...beyond, '--http-allow-anonymous'] })).toHaveLength(1)
    const allowed = [...beyond, '--http-allow-anonymous', '--allow-plaintext']
    await expect(load({ flags: allowed })).resolves.toBeDefined()
    await expect(load({ flags: [...beyond, '--no-http-enabled'] })).resolves.toBeDefined()
  })

  it('does not take a name for an address', async () => {
    expect(await problems({ flags: ['--host', '127.example.org'] })).toHaveLength(1)
    await expect(load({ flags: ['--host', 'localhost'] })).resolves.toBeDefined()
    await expect(load({ flags: ['--host', '127.8.9.1'] })).resolves.toBeDefined()
    await expect(load({ flags: ['--host', '::1'] })).resolves.toBeDefined()
  })

  it('wants a port for each server', async () => {
    expect(await problems({ flags: ['--port', '7462'] })).toEqual([
      '--port: http.port is 7462 like port; each needs its own',
    ])
    await expect(load({ flags: ['--port', '0', '--http-port', '0'] })).resolves.toBeDefined()
  })

  it('wants time for two heartbeats before a worker is dead or cut off', async () => {
    const flags = ['--workers-heartbeat-ms', '40s']
    expect((await problems({ flags })).map((line) => line.split(' ')[0])).toEqual([
      '--workers-heartbeat-ms:',
      '--workers-heartbeat-ms:',
    ])
  })

  it('wants each token once', async () => {
    const twice = `[{ name: a, sha256: ${SHA256} }, { name: b, sha256: ${SHA256} }]`
    expect((await problems({ flags: ['--auth-tokens', twice] }))[0]).toContain('for a and b')
  })

  it('is not judged on values that were refused themselves', async () => {
    const yaml = 'workers:\n  heartbeatMs: 1m\n  deadMs: x\ntimeouts:\n  idleMs: 5m\n'
    expect(await problems({ yaml })).toHaveLength(1)
  })
})
