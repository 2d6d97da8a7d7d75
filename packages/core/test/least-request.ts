// The least that each verb needs, and what its refusal says when a field of it is changed.

import { parseRequest } from '../src/protocol/parse-request.ts'
import type { Verb } from '../src/protocol/request.ts'
import { PAYLOAD, TASK_1, TOKEN } from './golden-value.ts'
import { refusalOf } from './refusal.ts'

export type Args = Record<string, unknown>

/** A lease, and a task to enqueue, as items of a request. */
export const held: readonly unknown[] = [TASK_1, TOKEN]
export const task: readonly unknown[] = [TASK_1, 'mail.send', PAYLOAD]

export const LEAST: Readonly<Record<Verb, Args>> = {
  hello: { protocol: 1, client: { name: 'a', version: '1' } },
  ping: {},
  abort: { id: 1 },
  register: { name: 'w', version: '1', slots: 1 },
  leave: {},
  enqueue: { queue: 'mail', tasks: [task] },
  claim: { queues: ['mail'], claim: 1 },
  start: { tasks: [held] },
  heartbeat: { leases: [], received: 0 },
  progress: { tasks: [held] },
  complete: { tasks: [held] },
  fail: { tasks: [[...held, { message: 'no' }]] },
  release: { tasks: [held] },
  cancel: { ids: [TASK_1] },
  redrive: { ids: [TASK_1] },
  'set-priority': { ids: [TASK_1], priority: 0 },
  get: { id: TASK_1 },
  wait: { id: TASK_1 },
  list: {},
  stats: {},
  workers: {},
  'startup-log': {},
  'queue-set': { queue: 'mail', settings: {} },
  'queue-pause': { queue: 'mail' },
  'queue-resume': { queue: 'mail' },
  'queue-purge': { queue: 'mail' },
  backup: {},
}

/** What a refusal of the least arguments with a change says. */
export function saysTo(verb: Verb, change: Args): string {
  const error = refusalOf(() => parseRequest(verb, { ...LEAST[verb], ...change }))
  return `${error.code}: ${error.message}`
}
