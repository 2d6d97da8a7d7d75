// A data directory with its ledger: where brokers are let die, and what is found out afterwards.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Broker } from '../../src/broker.ts'
import { type BrokerConfig, brokerConfig } from '../../src/config/config.ts'
import { createLogger } from '../../src/observe/log.ts'
import { StoreError } from '../../src/storage/port.ts'
import { checkDataDirectory } from '../ledger/data-directory-check.ts'
import { Ledger } from '../ledger/ledger.ts'
import { violationsOf } from '../ledger/ledger-report.ts'

export interface Aftermath {
  readonly violations: readonly string[]
  /** The sentence with which the store refused to open; undefined if it opened. */
  readonly refusal: string | undefined
}

export class CrashSite {
  readonly ledger = new Ledger()
  readonly #root: string

  static async make(): Promise<CrashSite> {
    return new CrashSite(await mkdtemp(join(tmpdir(), 'tq-crash-')))
  }

  private constructor(root: string) {
    this.#root = root
  }

  get directory(): string {
    return join(this.#root, 'data')
  }

  get traceFile(): string {
    return join(this.#root, 'trace')
  }

  /** The offline check, then a start in this process, and the ledger against it. */
  async investigate(): Promise<Aftermath> {
    try {
      const faults = await checkDataDirectory(this.directory)
      const broker = await this.#start()
      try {
        const report = await this.ledger.verify(broker.address)
        return { violations: [...faults, ...violationsOf(report)], refusal: undefined }
      } finally {
        await broker.stop({ deadlineMs: 1_000 })
      }
    } catch (error) {
      if (error instanceof StoreError) return { violations: [], refusal: error.message }
      return { violations: [`the check failed: ${String(error)}`], refusal: undefined }
    }
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true })
  }

  #start(): Promise<Broker> {
    const defaults = brokerConfig.parse({}) as BrokerConfig
    const http = { ...defaults.http, enabled: false }
    const config = { ...defaults, dataDir: this.directory, port: 0, http }
    const log = createLogger({ level: 'silent', destination: { write: () => undefined } })
    return Broker.start(config, { log })
  }
}
