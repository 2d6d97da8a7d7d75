// The comparison of tq with its peers: all that are installed, in turns, on this machine.

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { machineFacts } from '../machine.ts'
import { peerNamed } from './catalogue.ts'
import { comparisonTables, summarise } from './comparison-table.ts'
import {
  BATCH,
  BATCHES_OUTSTANDING,
  CONNECTIONS,
  runLap,
  SINGLES_OUTSTANDING,
  SLOTS,
} from './lap.ts'
import type { Peer } from './peer.ts'
import { type Sample, VoidRunError } from './sample.ts'
import { readSettings, type Settings, USAGE } from './settings.ts'

const LAYOUT =
  `one producer process and one worker process, ${CONNECTIONS} connections each; ` +
  `batches of ${BATCH}, ${BATCHES_OUTSTANDING} under way on a connection; ` +
  `single requests, ${SINGLES_OUTSTANDING} under way on a connection; ` +
  `${SLOTS} slots a worker connection; a handler that does nothing`

/** A peer that takes part, with the version of its server. */
interface Contestant {
  readonly peer: Peer
  readonly version: string
}

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) {
    say(USAGE)
    return
  }
  const settings = readSettings(argv)
  const machine = machineFacts(tmpdir())
  const contestants = await installed(settings.peers)
  for (const [name, value] of Object.entries(machine)) say(`${name}: ${value}\n`)
  say(`layout: ${LAYOUT}\ntasks: ${settings.tasks}, payload ${settings.payloadBytes} bytes\n\n`)
  say(rosterOf(contestants))
  const { samples, voids } = await compare(contestants, settings)
  say(
    `\nMedians of ${settings.rounds} rounds (least to most); tq/peer is the ratio of the medians.\n\n`,
  )
  say(comparisonTables(samples))
  for (const message of voids) say(`\nVOID: ${message}\n`)
  if (voids.length > 0) process.exitCode = 1
  if (settings.out !== undefined) {
    const peers = contestants.map(({ peer, version }) => {
      const { name, client, durability, batching } = peer
      return { name, version, client, durability, batching }
    })
    const result = {
      machine,
      layout: LAYOUT,
      settings,
      peers,
      summaries: summarise(samples),
      samples,
      voids,
    }
    writeFileSync(settings.out, `${JSON.stringify(result, null, 2)}\n`)
  }
}

/** Of those named the ones that are here; the others are told, with what installs them. */
async function installed(names: readonly string[]): Promise<readonly Contestant[]> {
  const contestants: Contestant[] = []
  for (const name of names) {
    const peer = await peerNamed(name)
    const version = peer.version()
    if (version !== undefined) contestants.push({ peer, version })
    else say(`${name} is not here and left out; get it with ${peer.install}\n`)
  }
  return contestants
}

function rosterOf(contestants: readonly Contestant[]): string {
  const rows = contestants.map(({ peer, version }) => {
    return `| ${[peer.name, version, peer.client, peer.durability, peer.batching].join(' | ')} |\n`
  })
  const head =
    '| peer | server | client | durability | batches |\n| --- | --- | --- | --- | --- |\n'
  return head + rows.join('')
}

/** A round has each peer once, and every other round the other way round: drifts hit all alike. */
async function compare(
  contestants: readonly Contestant[],
  settings: Settings,
): Promise<{ readonly samples: readonly Sample[]; readonly voids: readonly string[] }> {
  const samples: Sample[] = []
  const voids: string[] = []
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)))
  }
  for (let round = 0; round < settings.rounds; round += 1) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed()
    for (const { peer } of order) {
      const onSample = (sample: Sample): void => void samples.push(sample)
      try {
        await runLap(peer, settings, { round, onSample, signal: stop.signal })
      } catch (error) {
        stop.signal.throwIfAborted()
        if (!(error instanceof VoidRunError)) throw error
        voids.push(error.message)
        process.stderr.write(`VOID: ${error.message}\n`)
      }
      process.stderr.write(`round ${round + 1} of ${settings.rounds}: ${peer.name}\n`)
    }
  }
  // Rows stand in the order of the roster, whichever way the rounds went.
  const rank = new Map(contestants.map(({ peer }, at) => [peer.name, at]))
  samples.sort((a, b) => (rank.get(a.peer) ?? 0) - (rank.get(b.peer) ?? 0))
  return { samples, voids }
}

function say(text: string): void {
  process.stdout.write(text)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exitCode = 1
}
