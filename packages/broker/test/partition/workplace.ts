// Two SDK workers of one queue, the first behind a line that will be cut, and what they did when.

import { TqWorker } from '@tq/client'
import type { RigAddress } from '../rig-broker.ts'

export interface Deed {
  readonly worker: string
  readonly what: 'begun' | 'stopped' | 'done'
  readonly task: string
  readonly atMs: number
}

export interface WorkplaceOptions {
  readonly queue: string
  readonly leaseMs: number
}

/** What a task of a workplace says: it goes on until it is told to stop, or is done at once. */
export interface Work {
  readonly isLong: boolean
}

const RECONNECT = { baseMs: 20, capMs: 200 }
/** Parked claims are over soon, so that nothing stays half open for the sake of one. */
const WAIT_MS = 1_000
const CONNECT_TIMEOUT_MS = 1_000

export class Workplace {
  readonly deeds: Deed[] = []
  readonly #options: WorkplaceOptions
  readonly #workers: TqWorker[] = []
  #isOpen = false

  constructor(options: WorkplaceOptions) {
    this.#options = options
  }

  /** @param own Queues that only this worker serves. */
  async add(name: string, to: RigAddress, own: readonly string[] = []): Promise<void> {
    const { queue, leaseMs } = this.#options
    const worker = new TqWorker({
      address: `${to.host}:${to.port}`,
      queues: [queue, ...own],
      name,
      leaseMs,
      waitMs: WAIT_MS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      reconnect: RECONNECT,
      heartbeatThread: false,
    })
    worker.handle('*', async (task, { taskId, signal }) => {
      const { isLong } = task.payload as Work
      const note = (what: Deed['what']): void => {
        this.deeds.push({ worker: name, what, task: taskId, atMs: performance.now() })
      }
      note('begun')
      while (isLong && !this.#isOpen && !signal.aborted) await aMoment()
      if (signal.aborted) note('stopped')
      signal.throwIfAborted()
      note('done')
    })
    this.#workers.push(worker)
    await worker.start()
  }

  /** Long tasks are done from now on. */
  open(): void {
    this.#isOpen = true
  }

  /** What happened to a task, in the order in which it happened. */
  of(task: string): readonly Deed[] {
    return this.deeds.filter((deed) => deed.task === task)
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) =>
        worker.stop({ deadlineMs: 0, graceMs: 0 }).catch(() => undefined),
      ),
    )
  }
}

function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
