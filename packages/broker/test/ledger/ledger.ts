// A load on a real broker over TCP, every acknowledgement written down, and the check after a restart.

import { randomBytes } from 'node:crypto'
import { systemClock, systemRandom, TaskIdMaker } from '@tq/core'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { Book, type Gate } from './book.ts'
import { LedgerCheck } from './ledger-check.ts'
import type { LedgerReport } from './ledger-report.ts'
import type { Dial, Line } from './line.ts'
import { type Address, Link } from './link.ts'
import { Load } from './load.ts'

export interface DriveOptions {
  /** Same seed, same choices; what the broker makes of them depends on the moment. */
  readonly seed: number
  /** Ends the load; what is under way is answered before. */
  readonly signal?: AbortSignal
  /** Requests until it ends by itself; default none: it goes on until the broker is gone. */
  readonly operations?: number
  /** Default 8; each asks for one thing at a time. */
  readonly connections?: number
  /** Largest payload; most are small. */
  readonly payloadBytesMax?: number
  /** Called when all connections stand, before the first request. */
  readonly onReady?: () => void
}

const CONNECTIONS = 8
const PAYLOAD_BYTES_MAX = 2_000
/** Queues that all connections share. */
const QUEUE_COUNT = 3
/** Bytes from which payloads are cut; none is larger. */
const POOL_BYTES = 64 * 1024

/**
 * May be driven, and its broker stopped in any way and checked, again and again: each check settles
 * what was unknown. The broker must keep what has ended, must not let a lease end by itself (which
 * lasts hours here), and must have no other clients on the ledger's queues.
 */
export class Ledger {
  readonly #book = new Book()
  readonly #pool = randomBytes(POOL_BYTES)
  readonly #name: string
  readonly #queues: readonly string[]
  readonly #ids = new TaskIdMaker({
    wallMs: () => systemClock.wallMs(),
    fillRandom: (bytes) => systemRandom.fill(bytes),
  })

  /** @param name Begins the names of its queues; two ledgers of one broker have different ones. */
  constructor(name = 'ledger') {
    this.#name = name
    this.#queues = Array.from({ length: QUEUE_COUNT }, (_, index) => `${name}-${index}`)
  }

  get acknowledgedCount(): number {
    return this.#book.acknowledgedCount
  }

  /** The newest commit that an acknowledgement named. */
  get lsn(): number {
    return this.#book.lsn
  }

  /** When the last acknowledgement came, in ms since the Unix epoch; 0 before the first. */
  get lastAckAtMs(): number {
    return this.#book.lastAckAtMs
  }

  /** Resolves when the broker is gone, the signal aborts, or so many requests were sent. */
  async drive(to: Address | Dial, options: DriveOptions): Promise<void> {
    const { connections = CONNECTIONS, signal, operations = Infinity, onReady } = options
    const indexes = Array.from({ length: connections }, (_, index) => index)
    const settled = await Promise.allSettled(indexes.map(() => dial(to)(randomBytes(16))))
    const lines = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    onReady?.()
    let left = operations
    const mayGoOn = (): boolean => {
      left -= 1
      return left >= 0 && signal?.aborted !== true
    }
    await Promise.all(lines.map((line, index) => this.#load(line, index, options).run(mayGoOn)))
    for (const line of lines) line.close()
  }

  /** @throws if the broker is not there or goes away meanwhile; it can be asked again then. */
  async verify(to: Address | Dial): Promise<LedgerReport> {
    const line = await dial(to)(randomBytes(16))
    try {
      const parts = { book: this.#book, line, queues: this.#queues }
      return await new LedgerCheck(parts).run()
    } finally {
      line.close()
    }
  }

  #load(line: Line, index: number, options: DriveOptions): Load {
    return new Load({
      book: this.#book,
      line,
      random: new SeededRandom(options.seed, `connection ${index}`),
      ids: this.#ids,
      queues: this.#queues,
      gate: this.#gate(index),
      payloadBytesMax: options.payloadBytesMax ?? PAYLOAD_BYTES_MAX,
      pool: this.#pool,
    })
  }

  #gate(index: number): Gate {
    const queue = `${this.#name}-gate-${index}`
    const known = this.#book.gates.get(queue)
    const gate: Gate = known ?? { queue, paused: undefined, pending: undefined }
    this.#book.gates.set(queue, gate)
    return gate
  }
}

function dial(to: Address | Dial): Dial {
  return typeof to === 'function' ? to : (session) => Link.connect(to, session)
}
