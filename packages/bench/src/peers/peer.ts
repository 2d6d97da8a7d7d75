// What the comparison asks of a task queue: a server of its own, producers, workers.

import type { PhaseName } from './phase-name.ts'
import type { ServerProcess } from './server-process.ts'
import type { TaskBody } from './task-body.ts'

/** Of the Debian packages of all peers. */
export const INSTALL_PEERS = 'packages/bench/install-peers.sh (as root)'

export interface Peer {
  readonly name: string
  /** What has happened to a task when its enqueue is acknowledged, in words. */
  readonly durability: string
  /** How `many` sends its tasks, in words. */
  readonly batching: string
  /** Phases that it can take part in; the others are left out of its rows. */
  readonly phases: readonly PhaseName[]
  /** The packages through which it is driven, with their versions. */
  readonly client: string
  /** Of the server; undefined if it is not installed here. */
  version(): string | undefined
  /** The command that installs it. */
  readonly install: string
  /** A fresh server: no tasks, a directory of its own, a free port on loopback. */
  start(): Promise<ServerProcess>
  /** Makes the queue, where queues have to be made. */
  prepare(port: number): Promise<void>
  connectProducer(port: number): Promise<PeerProducer>
  connectWorker(port: number, shift: WorkerShift): Promise<PeerWorker>
  /** Tasks that are not yet acknowledged by a worker. */
  countLeft(port: number): Promise<number>
}

/** One connection that enqueues. */
export interface PeerProducer {
  /** One task in one request; resolves when the server has acknowledged it. */
  one(task: TaskBody): Promise<void>
  /** Many tasks in the best way that the peer has for them. */
  many(tasks: readonly TaskBody[]): Promise<void>
  close(): Promise<void>
}

/** One connection that claims, runs and acknowledges tasks. */
export interface PeerWorker {
  begin(): Promise<void>
  /** Only where acknowledgements have no answer: resolves when all that were sent are taken. */
  settle?(): Promise<void>
  close(): Promise<void>
}

/** What a worker is to do. */
export interface WorkerShift {
  /** Most tasks at a time. */
  readonly slots: number
  /** Told at the start of a handler, with the task's number; the handler does nothing else. */
  readonly onTask: (number: number) => void
  /** Told of each task whose end is acknowledged; where acknowledgements have no answer, sent. */
  readonly onEnd: () => void
  /** The worker cannot go on: the run is void. */
  readonly onError: (error: Error) => void
}
