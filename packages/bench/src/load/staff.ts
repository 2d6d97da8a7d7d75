// The workers of a load: their handlers do nothing but what is measured.

import { type ClaimedTask, HandlerError, OpaqueBytes, TqWorker } from '@tq/client'
import { LatencyHistogram } from '../figure/latency-histogram.ts'
import type { Done, Work } from './load-message.ts'
import { monotonicUs } from './monotonic.ts'
import { addressOf, type Target } from './target.ts'
import { dueUsOf, scrambledBytes } from './task-maker.ts'

/** Queues that one claim may name, by the protocol: more of them are shared out to the workers. */
const QUEUES_PER_WORKER_MAX = 100
/** Beyond so many workers a thread of heartbeats for each would be what is measured. */
const HEARTBEAT_THREADS_MAX = 4
/** Workers that start at a time; more would only wait in the broker's backlog. */
const STARTING_MAX = 64

export class Staff {
  readonly #target: Target
  readonly #start = new LatencyHistogram()
  #workers: readonly TqWorker[] = []
  #isStamped = false
  #completed = 0
  #tasks = Infinity
  #firstUs = Infinity
  #finish: () => void = () => undefined
  #fail: (error: Error) => void = () => undefined
  #finished: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor(target: Target) {
    this.#target = target
  }

  /** From here on all that is done is counted. */
  async hire(work: Work): Promise<void> {
    this.#completed = 0
    this.#tasks = Infinity
    this.#firstUs = Infinity
    this.#isStamped = work.isStamped
    this.#start.reset()
    this.#finished = new Promise<void>((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
    })
    // Heard of where it is awaited.
    this.#finished.catch(() => undefined)
    this.#workers = this.#make(work)
    for (let at = 0; at < this.#workers.length; at += STARTING_MAX) {
      const some = this.#workers.slice(at, at + STARTING_MAX)
      await Promise.all(some.map((worker) => worker.start()))
    }
  }

  async drain(tasks = Infinity): Promise<Done> {
    this.until(tasks)
    await this.#finished
    const toUs = monotonicUs()
    // At once: until somebody dismisses them they would go on with what still waits.
    this.#stopping = this.#stop()
    const start = this.#isStamped ? { start: this.#start.summary() } : {}
    return { tasks: this.#tasks, fromUs: Math.min(this.#firstUs, toUs), toUs, ...start }
  }

  /** The drain is over when so many tasks have been completed. */
  until(tasks: number): void {
    this.#tasks = tasks
    if (this.#completed >= tasks) this.#finish()
  }

  async dismiss(): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
    this.#stopping = undefined
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
    this.#workers = []
  }

  #make(work: Work): readonly TqWorker[] {
    const { connections, queues } = this.#target
    const handler = this.#handler(work)
    return Array.from({ length: connections }, (_, index) => {
      const worker = new TqWorker({
        address: addressOf(this.#target),
        queues: queuesOf(queues, index, connections),
        concurrency: work.concurrency,
        heartbeatThread: connections <= HEARTBEAT_THREADS_MAX,
        ...(work.minPriority === undefined ? {} : { minPriority: work.minPriority }),
        onEvent: (event) => {
          if (event.kind === 'task-completed') this.#count()
          if (event.kind === 'report-refused') this.#fail(event.error)
        },
      })
      return worker.handle('*', handler)
    })
  }

  #handler(work: Work): (task: ClaimedTask) => unknown {
    const { failures, resultBytes, isStamped } = work
    const result = resultBytes === 0 ? undefined : new OpaqueBytes(scrambledBytes(resultBytes))
    return (task) => {
      if (this.#firstUs === Infinity) this.#firstUs = monotonicUs()
      const dueUs = isStamped ? dueUsOf(task.payloadBytes) : undefined
      if (dueUs !== undefined) this.#start.recordUs(monotonicUs() - dueUs)
      if (task.attempt <= failures) throw new HandlerError('once more')
      return result
    }
  }

  #count(): void {
    this.#completed += 1
    if (this.#completed === this.#tasks) this.#finish()
  }
}

/** The queues of one worker: all, if a claim can name them; else its share. */
function queuesOf(queues: readonly string[], index: number, workers: number): readonly string[] {
  if (queues.length <= QUEUES_PER_WORKER_MAX) return queues
  return queues.filter((_, at) => at % workers === index)
}
