// Enqueues by the clock or as fast as it is let, and works off what it enqueued.

import { OpaqueBytes, TqClient, TqWorker } from '@tq/client'
import type { Ledger } from './ledger.ts'

export const FLOOD_QUEUE = 'flood'
const CLIENTS = 4
const WORKERS = 2
const WORKER_CONCURRENCY = 128
const BATCH_TASKS = 20
const PAYLOAD_BYTES = 1_024
const TURN_MS = 5
/** Requests of all clients under way in a closed loop. */
const OUTSTANDING = 32
/** Tasks that may wait in a closed loop, so that it measures enqueues and completions alike. */
const LIVE_MAX = 4_000
/** Shorter than the SDK's own, so that what overload delays becomes an answer within the run. */
const REQUEST_TIMEOUT_MS = 10_000

export class Flood {
  readonly #ledger: Ledger
  readonly #address: string
  readonly #clients: readonly TqClient[]
  #workers: readonly TqWorker[] = []
  #pending = new Set<Promise<void>>()
  #turn = 0

  constructor(port: number, ledger: Ledger) {
    this.#ledger = ledger
    this.#address = `127.0.0.1:${port}`
    const options = { address: this.#address, name: 'flood', retryRefusals: false }
    const requestTimeoutMs = REQUEST_TIMEOUT_MS
    this.#clients = Array.from(
      { length: CLIENTS },
      () => new TqClient({ ...options, requestTimeoutMs }),
    )
  }

  async startWorkers(): Promise<void> {
    this.#workers = Array.from({ length: WORKERS }, () => {
      const worker = new TqWorker({
        address: this.#address,
        queues: [FLOOD_QUEUE],
        concurrency: WORKER_CONCURRENCY,
        heartbeatThread: false,
        onEvent: (event) => {
          if (event.kind !== 'task-completed') return
          const { buffer, byteOffset } = event.task.payloadBytes
          this.#ledger.noteDone(new DataView(buffer, byteOffset).getUint32(0))
        },
      })
      return worker.handle('*', () => undefined)
    })
    await Promise.all(this.#workers.map((worker) => worker.start()))
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
    this.#workers = []
  }

  /** As many as there is room for. */
  async closedLoop(seconds: number): Promise<void> {
    const endAtMs = performance.now() + seconds * 1_000
    const one = async (): Promise<void> => {
      while (performance.now() < endAtMs) {
        if (this.#ledger.acked - this.#ledger.done > LIVE_MAX) await turn()
        else await this.#send(performance.now())
      }
    }
    await Promise.all(Array.from({ length: OUTSTANDING }, one))
  }

  /** Whatever the broker does, each batch is sent at its moment. */
  async openLoop(tasksPerSecond: number, seconds: number): Promise<void> {
    const gapMs = (BATCH_TASKS / tasksPerSecond) * 1_000
    let dueAtMs = performance.now()
    const endAtMs = dueAtMs + seconds * 1_000
    while (performance.now() < endAtMs) {
      for (; dueAtMs <= performance.now(); dueAtMs += gapMs) {
        const sending = this.#send(dueAtMs).finally(() => this.#pending.delete(sending))
        this.#pending.add(sending)
      }
      await turn()
    }
  }

  /** Everything that was sent has its answer. */
  async answered(): Promise<void> {
    await Promise.all(this.#pending)
  }

  async close(): Promise<void> {
    await this.stopWorkers()
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  async #send(dueAtMs: number): Promise<void> {
    const client = this.#clients[this.#turn++ % CLIENTS] as TqClient
    const numbers = Array.from({ length: BATCH_TASKS }, () => this.#ledger.next())
    try {
      await client.enqueueMany(FLOOD_QUEUE, numbers.map(numberedTask))
      this.#ledger.noteAcked(numbers, performance.now() - dueAtMs)
    } catch (error) {
      this.#ledger.noteRefused(error)
    }
  }
}

function numberedTask(number: number): { readonly type: string; readonly payload: OpaqueBytes } {
  const payload = new Uint8Array(PAYLOAD_BYTES)
  new DataView(payload.buffer).setUint32(0, number)
  return { type: 'numbered', payload: new OpaqueBytes(payload) }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TURN_MS))
}
