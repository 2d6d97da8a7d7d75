// The verbs of producers and workers: enqueue, claim, start, heartbeat, and the ends of an attempt.

import {
  DELAY_MS_MAX,
  HEARTBEAT_LEASES_MAX,
  ITEMS_PER_REQUEST_MAX,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  QUEUES_PER_CLAIM_MAX,
  WAIT_MS_MAX,
  WEIGHT_MAX,
} from '../limits.ts'
import {
  badField,
  isAbsent,
  optionalInteger,
  parseItems,
  refuseUnknown,
  requireBoolean,
  requireInteger,
  requireMap,
  requireWord,
  within,
  type Fields,
} from './field.ts'
import { optionalSession } from './parse-session-request.ts'
import {
  parseCompletion,
  parseFailure,
  parseHeldTask,
  parseProgress,
  parseTaskSpecs,
} from './parse-task.ts'
import type {
  ClaimRequest,
  CompleteRequest,
  EnqueueRequest,
  FailRequest,
  HeartbeatRequest,
  ProgressRequest,
  ReleaseRequest,
  StartRequest,
} from './request.ts'
import { ITEMS, PRIORITY, requireQueue } from './task-field.ts'

const ENQUEUE_FIELDS: ReadonlySet<string> = new Set(['queue', 'tasks', 'fresh', 'sentAgoMs'])
const CLAIM_FIELDS: ReadonlySet<string> = new Set([
  'queues',
  'max',
  'waitMs',
  'leaseMs',
  'start',
  'claim',
  'order',
  'weights',
  'minPriority',
])
const HEARTBEAT_FIELDS: ReadonlySet<string> = new Set(['session', 'leases', 'received'])
const TASKS_FIELDS: ReadonlySet<string> = new Set(['tasks'])
const ORDERS: readonly ClaimRequest['order'][] = ['round', 'strict']
const SENT_AGO_MS = { min: 0, max: DELAY_MS_MAX }
const QUEUES = { min: 1, max: QUEUES_PER_CLAIM_MAX }
const CLAIM_MAX = { min: 1, max: ITEMS_PER_REQUEST_MAX }
const WAIT_MS = { min: 0, max: WAIT_MS_MAX }
const LEASE_MS = { min: LEASE_MS_MIN, max: LEASE_MS_MAX }
const CLAIM_NUMBER = { min: 1, max: Number.MAX_SAFE_INTEGER }
const RECEIVED = { min: 0, max: Number.MAX_SAFE_INTEGER }
const WEIGHT = { min: 1, max: WEIGHT_MAX }
const LEASES = { min: 0, max: HEARTBEAT_LEASES_MAX }

export function parseEnqueue(fields: Fields): EnqueueRequest {
  refuseUnknown(fields, ENQUEUE_FIELDS)
  const queue = requireQueue(fields['queue'], 'queue')
  const tasks = parseTaskSpecs(fields['tasks'], queue)
  const fresh = booleanOr(fields['fresh'], 'fresh', false)
  const sentAgoMs = optionalInteger(fields['sentAgoMs'], 'sentAgoMs', SENT_AGO_MS)
  return sentAgoMs === undefined
    ? { verb: 'enqueue', queue, tasks, fresh }
    : { verb: 'enqueue', queue, tasks, fresh, sentAgoMs }
}

export function parseClaim(fields: Fields): ClaimRequest {
  refuseUnknown(fields, CLAIM_FIELDS)
  const queues = parseItems(fields['queues'], 'queues', QUEUES, parseQueueItem)
  if (new Set(queues).size < queues.length) badField('queues', 'must not name a queue twice')
  const leaseMs = optionalInteger(fields['leaseMs'], 'leaseMs', LEASE_MS)
  const minPriority = optionalInteger(fields['minPriority'], 'minPriority', PRIORITY)
  const { order, weights } = fields
  return {
    verb: 'claim',
    queues,
    max: optionalInteger(fields['max'], 'max', CLAIM_MAX) ?? 1,
    waitMs: optionalInteger(fields['waitMs'], 'waitMs', WAIT_MS) ?? 0,
    ...(leaseMs === undefined ? undefined : { leaseMs }),
    start: booleanOr(fields['start'], 'start', true),
    claim: requireInteger(fields['claim'], 'claim', CLAIM_NUMBER),
    order: isAbsent(order) ? 'round' : requireWord(order, 'order', ORDERS),
    ...(isAbsent(weights) ? undefined : { weights: parseWeights(weights, queues) }),
    ...(minPriority === undefined ? undefined : { minPriority }),
  }
}

function parseQueueItem(value: unknown): string {
  return requireQueue(value, '')
}

function parseWeights(value: unknown, queues: readonly string[]): Readonly<Record<string, number>> {
  const fields = requireMap(value, 'weights')
  try {
    for (const queue of Object.keys(fields)) {
      if (!queues.includes(queue)) badField(queue, 'is not one of the queues of this claim')
      requireInteger(fields[queue], queue, WEIGHT)
    }
  } catch (error) {
    throw within(error, 'weights')
  }
  return fields as Readonly<Record<string, number>>
}

export function parseStart(fields: Fields): StartRequest {
  refuseUnknown(fields, TASKS_FIELDS)
  return { verb: 'start', tasks: parseItems(fields['tasks'], 'tasks', ITEMS, parseHeldTask) }
}

export function parseHeartbeat(fields: Fields): HeartbeatRequest {
  refuseUnknown(fields, HEARTBEAT_FIELDS)
  const leases = parseItems(fields['leases'], 'leases', LEASES, parseHeldTask)
  const received = requireInteger(fields['received'], 'received', RECEIVED)
  const session = optionalSession(fields['session'])
  return session === undefined
    ? { verb: 'heartbeat', leases, received }
    : { verb: 'heartbeat', session, leases, received }
}

export function parseProgresses(fields: Fields): ProgressRequest {
  refuseUnknown(fields, TASKS_FIELDS)
  return { verb: 'progress', tasks: parseItems(fields['tasks'], 'tasks', ITEMS, parseProgress) }
}

export function parseComplete(fields: Fields): CompleteRequest {
  refuseUnknown(fields, TASKS_FIELDS)
  return { verb: 'complete', tasks: parseItems(fields['tasks'], 'tasks', ITEMS, parseCompletion) }
}

export function parseFail(fields: Fields): FailRequest {
  refuseUnknown(fields, TASKS_FIELDS)
  return { verb: 'fail', tasks: parseItems(fields['tasks'], 'tasks', ITEMS, parseFailure) }
}

export function parseRelease(fields: Fields): ReleaseRequest {
  refuseUnknown(fields, TASKS_FIELDS)
  return { verb: 'release', tasks: parseItems(fields['tasks'], 'tasks', ITEMS, parseHeldTask) }
}

function booleanOr(value: unknown, name: string, otherwise: boolean): boolean {
  return isAbsent(value) ? otherwise : requireBoolean(value, name)
}
