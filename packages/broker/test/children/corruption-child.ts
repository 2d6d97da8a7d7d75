// A broker that lives for one generation of the load, or for one reading of a damaged store.

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { systemRandom, systemScheduler } from '@tq/core'
import { Broker } from '../../src/broker.ts'
import { type BrokerConfig, brokerConfig } from '../../src/config/config.ts'
import { createLogger } from '../../src/observe/log.ts'
import { StoreError } from '../../src/storage/port.ts'
import type { ChildReport } from '../corruption/child-report.ts'
import { LOAD_WALL_MS } from '../corruption/known-task.ts'
import { Ledger, type Promised, runGeneration } from '../corruption/load.ts'
import { markedLsnOf } from '../corruption/marked-lsn.ts'
import { readEverything } from '../corruption/reading.ts'
import { WireClient } from '../end-to-end/wire-client.ts'
import { eventually } from '../end-to-end/eventually.ts'

const [mode = '', dataDir = '', ledgerPath = '', reportPath = '', number = '0'] =
  process.argv.slice(2)
const ledger = new Ledger(JSON.parse(readFileSync(ledgerPath, 'utf8')) as Promised[])
const damages: { what: string; key: string }[] = []

process.on('unhandledRejection', (error) => end({ kind: 'crashed', said: String(error) }))
process.on('uncaughtException', (error) => end({ kind: 'crashed', said: String(error.stack) }))

const broker = await start()
if (broker !== undefined) {
  tell({ kind: 'listening' })
  const session = new Uint8Array(16).fill(0x40 + Number(number))
  const wire = await WireClient.connect(broker.address, { session })
  if (mode === 'load') {
    const marked = (): Promise<void> => eventually(() => requireMark(wire))
    await runGeneration(Number(number), { wire, ledger, marked })
    writeFileSync(ledgerPath, JSON.stringify(ledger.all))
    end({ kind: 'loaded' })
  } else {
    void broker.failed.then((said) => end({ kind: 'gave-up', said }))
    const { reports } = await wire.ask<'startup-log'>({ verb: 'startup-log' })
    const reading = await readEverything(wire, ledger.all)
    end({ kind: 'read', lsn: reports[0]?.lsn ?? 0, reading, damages })
  }
}

async function start(): Promise<Broker | undefined> {
  const wallMs = LOAD_WALL_MS + Number(number) * 1_000
  const clock = { wallMs: () => wallMs, monotonicMs: () => 0 }
  const defaults = brokerConfig.parse({}) as BrokerConfig
  const config = { ...defaults, dataDir, port: 0, http: { ...defaults.http, enabled: false } }
  const log = createLogger({ level: 'warn', destination: { write: hearLog } })
  try {
    return await Broker.start(config, {
      log,
      world: { clock, scheduler: systemScheduler, random: systemRandom },
    })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    end({ kind: 'refused', code: error.code, said: error.message })
    return undefined
  }
}

/** The mark is of a commit that is durable already: it has to catch up with the newest. */
async function requireMark(wire: WireClient): Promise<void> {
  const { broker: stats } = await wire.ask<'stats'>({ verb: 'stats' })
  if (markedLsnOf(dataDir) < stats.lsn) throw new Error('the mark has not followed yet')
}

function hearLog(line: string): void {
  const { event, what, key } = JSON.parse(line) as Record<string, string>
  if (event === 'record-damaged') damages.push({ what: String(what), key: String(key) })
}

/** Written at once: after an abort nothing that waits would be. */
function tell(report: ChildReport): void {
  appendFileSync(reportPath, `${JSON.stringify(report)}\n`)
}

function end(report: ChildReport): void {
  tell(report)
  process.kill(process.pid, 'SIGKILL')
}
