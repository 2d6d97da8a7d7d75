// Flags, configuration, signals and exit codes; runs a Broker. The only file that ends the process.

import { unreachable } from '@tq/core'
import { newToken, tokenLine, tokenProblem } from './access/token.ts'
import { CONFIG_VARIABLE } from './config/env.ts'
import { ConfigError } from './config/error.ts'
import { configExample } from './config/example.ts'
import { commandLineHelp, readCommandLine, type CommandLine } from './config/flags.ts'
import { loadConfig, type LoadedConfig } from './config/load.ts'
import { optionsOf } from './config/outline.ts'
import { brokerConfig, type BrokerConfig } from './config/config.ts'
import { EXIT_CODES, type Exit } from './exit-code.ts'
import { standardOutput, type LogOutput } from './observe/log-output.ts'
import { createLogger, type Logger } from './observe/log.ts'
import { startRefusalOf } from './start-refusal.ts'
import { watchSignals, type StopSignals } from './stop-signal.ts'
import { BROKER_VERSION } from './version.ts'
import type { Broker } from './broker.ts'

/** What stopping may take beyond its deadline before the process ends all the same. */
const STOP_GRACE_MS = 5_000
/** A supervisor wants the end within a second; most of it is for the last lines of the log. */
const FLUSH_MS = 500
/** A token has at most 1,024 bytes; what is longer is not one. */
const INPUT_BYTES_MAX = 4_096

await main()

async function main(): Promise<void> {
  const exit = await run().catch((error: unknown): Exit => {
    if (!(error instanceof ConfigError)) throw error
    complain(error.message)
    return 'usage'
  })
  process.exit(EXIT_CODES[exit].code)
}

async function run(): Promise<Exit> {
  const options = optionsOf(brokerConfig)
  const commandLine = await readCommandLine(process.argv.slice(2), options)
  switch (commandLine.action) {
    case 'help':
      return print(await commandLineHelp(options))
    case 'version':
      return print(BROKER_VERSION)
    case 'print-config-example':
      return print(configExample().trimEnd())
    case 'new-token':
      return printToken(newToken())
    case 'hash-token':
      return hashToken()
    case 'check-config': {
      const { warnings } = await load(commandLine)
      return print(['the configuration is right', ...warnings].join('\n'))
    }
    case 'run':
      return runBroker(await load(commandLine))
    default:
      return unreachable(commandLine.action)
  }
}

function load({ configFile, settings }: CommandLine): Promise<LoadedConfig> {
  const { env } = process
  const file = configFile ?? (env[CONFIG_VARIABLE] === '' ? undefined : env[CONFIG_VARIABLE])
  return loadConfig({ file, environment: env, flags: settings })
}

function printToken(token: string): Exit {
  complain(
    'the token is shown only now; the broker keeps its hash. Its line for auth.tokens follows.',
  )
  return print(`${token}\n${tokenLine(token)}`)
}

async function hashToken(): Promise<Exit> {
  const token = (await readInput()).replace(/\r?\n$/, '')
  const problem = tokenProblem(token)
  if (problem === undefined) return print(tokenLine(token))
  complain(`the token ${problem}; --new-token makes a good one`)
  return 'usage'
}

async function readInput(): Promise<string> {
  if (process.stdin.isTTY) complain('type the token and press Enter, then Ctrl-D')
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > INPUT_BYTES_MAX) break
  }
  return text
}

async function runBroker({ config, warnings }: LoadedConfig): Promise<Exit> {
  const output = standardOutput()
  const log = createLogger({ level: config.log.level, destination: output.stream })
  endOnCrash(log, output)
  const signals = watchSignals(log)
  log.info({
    event: 'starting',
    version: BROKER_VERSION,
    node: process.version,
    config: shown(config),
  })
  for (const warning of warnings) log.warn({ event: 'config-warning', warning })
  const exit = await Promise.race([
    serve(config, log, signals.first),
    impatient(signals),
    overdue(signals, log, config.timeouts.drainMs + STOP_GRACE_MS),
  ])
  await output.flush(FLUSH_MS)
  return exit
}

/** A broker's life: start, until it is asked to stop or cannot go on. */
async function serve(
  config: BrokerConfig,
  log: Logger,
  stopAsked: Promise<NodeJS.Signals>,
): Promise<Exit> {
  let broker: Broker
  try {
    // Loaded only now: --help needs no LevelDB.
    const { Broker: BrokerClass } = await import('./broker.ts')
    broker = await BrokerClass.start(config, { log })
    log.info({ event: 'listening', address: broker.address, http: broker.httpAddress })
  } catch (error) {
    return refuseStart(error, config, log)
  }
  let failure: string | undefined
  const failed = broker.failed.then((reason) => (failure = reason))
  const signal = await Promise.race([stopAsked, failed.then(() => undefined)])
  if (signal !== undefined) {
    const deadlineMs = config.timeouts.drainMs
    log.info({ event: 'stopping', signal, deadlineMs })
    await broker.stop({ deadlineMs })
  }
  if (failure === undefined) {
    log.info({ event: 'stopped' })
    return 'ok'
  }
  log.fatal({ event: 'failed', reason: failure })
  complain(`the broker cannot go on: ${failure}`)
  broker.destroy()
  return 'failed'
}

function refuseStart(error: unknown, config: BrokerConfig, log: Logger): Exit {
  const refusal = startRefusalOf(error, config)
  if (refusal === undefined) throw error
  log.fatal({ event: 'start-refused', reason: refusal.reason })
  complain(`cannot start: ${refusal.reason}`)
  return refusal.exit
}

async function impatient(signals: StopSignals): Promise<Exit> {
  await signals.second
  return 'failed'
}

async function overdue(signals: StopSignals, log: Logger, afterMs: number): Promise<Exit> {
  await signals.first
  await new Promise((resolve) => setTimeout(resolve, afterMs).unref())
  log.error({ event: 'stop-overdue', afterMs })
  return 'failed'
}

/** A bug ends the process: what it has broken in memory, a restart reads from the disk again. */
function endOnCrash(log: Logger, output: LogOutput): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ event: 'crashed', origin, error })
    complain(`a bug in tq: ${error instanceof Error ? error.message : String(error)}`)
    void output.flush(FLUSH_MS).finally(() => process.exit(EXIT_CODES.failed.code))
  })
}

/** The configuration without what would open something. */
function shown(config: BrokerConfig): unknown {
  return { ...config, auth: { principals: config.auth.tokens.map(({ name }) => name) } }
}

function print(text: string): Exit {
  process.stdout.write(`${text}\n`)
  return 'ok'
}

function complain(text: string): void {
  process.stderr.write(`tq-broker: ${text}\n`)
}
