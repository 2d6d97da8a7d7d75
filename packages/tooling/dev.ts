// make dev: a broker and a worker in the foreground, their logs in a readable form, and what to type.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ROOT } from './repository.ts'

const QUEUE = 'tour'
const HANDLERS = 'packages/worker/examples/handlers.mjs'
/** Fields of a log line that stand at its head, or that nobody needs to see. */
const HEAD_FIELDS = new Set([
  'level',
  'time',
  'pid',
  'event',
  'msg',
  'config',
  'steps',
  'startedAtMs',
])

interface LogLine {
  readonly level?: string
  readonly event?: string
  readonly msg?: string
  readonly [field: string]: unknown
}

await main()

async function main(): Promise<void> {
  const broker = start('broker', ['packages/broker/dist/tq-broker.cjs', ...process.argv.slice(2)])
  const children = [broker]
  let stopping: ChildProcess | undefined
  const asked = new Promise<void>((resolve) => {
    const stop = (): void => {
      // Who asks twice does not want to wait for running tasks.
      stopping?.kill('SIGTERM')
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
  const address = await Promise.race([addressOf(broker), asked, closed(broker)])
  if (typeof address === 'string') {
    children.push(
      start('worker', [
        ...['packages/worker/dist/main.js', '--module', HANDLERS],
        ...['--queues', QUEUE, '--address', address],
      ]),
    )
    printNextSteps(address)
    // Whichever ends first, the other one goes as well.
    await Promise.race([asked, ...children.map(closed)])
  }
  // The worker goes first: it reports to the broker what it has done.
  for (const child of children.reverse()) {
    stopping = child
    child.kill('SIGTERM')
    await closed(child)
  }
  process.exitCode = broker.exitCode ?? 1
}

function start(name: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C is for this process: it stops the two in order.
    detached: true,
  })
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => print(name, line))
  }
  return child
}

async function closed(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
}

/** Where the broker listens, from the line of its log that says so. */
function addressOf(broker: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (broker.stdout === null) return
    createInterface({ input: broker.stdout }).on('line', (line) => {
      const { event, address } = parse(line)
      const { host, port } = (address ?? {}) as { readonly host?: string; readonly port?: number }
      if (event === 'listening') resolve(`${host}:${port}`)
    })
  })
}

function print(name: string, text: string): void {
  const { level = '', event, msg = '', ...fields } = parse(text)
  const details = Object.entries(fields)
    .filter(([field]) => !HEAD_FIELDS.has(field))
    .map(([field, value]) => `${field}=${JSON.stringify(value)}`)
  const head = [name.padEnd(7), level.padEnd(5), event ?? msg]
  process.stdout.write(`${[...head, ...details].join(' ')}\n`)
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    return { msg: text }
  }
}

function printNextSteps(address: string): void {
  process.stdout.write(`
A broker listens on ${address}; a worker takes tasks from the queue "${QUEUE}". In another terminal:

  alias tq-admin='node ${ROOT}packages/cli/dist/main.js --address ${address}'
  tq-admin task enqueue ${QUEUE} echo --json '{"hello":"world"}' --wait
  tq-admin task enqueue ${QUEUE} slow --json '{"seconds":20}'
  tq-admin task list
  tq-admin --help

Ctrl-C stops both. The data stays in .tq/data.

`)
}
