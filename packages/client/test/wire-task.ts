// Claimed tasks as a broker puts them on the wire.

import { type ClaimedTask, encodePayload, type Replies, TaskIdMaker } from '@tq/core'

const ids = new TaskIdMaker({ wallMs: () => Date.now(), fillRandom: (bytes) => bytes.fill(7) })
let lastToken = 2 ** 32

export interface WireTaskParts {
  readonly type?: string
  readonly payload?: unknown
  readonly attempt?: number
  readonly extra?: Partial<ClaimedTask[6]>
}

export function wireTask(parts: WireTaskParts = {}): ClaimedTask {
  lastToken += 1
  return [
    ids.make(1),
    lastToken,
    'mail',
    parts.type ?? 'send',
    parts.attempt ?? 1,
    encodePayload(parts.payload ?? null),
    { timeoutMs: 3_600_000, ...parts.extra },
  ]
}

export function claimed(...tasks: ClaimedTask[]): Replies['claim'] {
  return { tasks, leaseMs: 15_000 }
}
