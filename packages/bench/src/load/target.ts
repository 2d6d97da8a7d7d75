// Where a load goes: which broker, which queues, over how many connections.

export interface Target {
  readonly port: number
  readonly queues: readonly string[]
  readonly connections: number
}

export const NOWHERE: Target = { port: 0, queues: [], connections: 0 }

export function addressOf(target: Target): string {
  return `127.0.0.1:${target.port}`
}

/** The queue of the n-th request: each in turn. */
export function queueOf(target: Target, index: number): string {
  const queue = target.queues[index % target.queues.length]
  if (queue === undefined) throw new Error('no queue was named; connect first')
  return queue
}
