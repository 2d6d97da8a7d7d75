// The verbs of those who look after tasks and queues: cancel, redrive, get, list, queue-set, …

import { CURSOR_BYTES_MAX, LIST_ROWS_MAX, REASON_BYTES_MAX, WAIT_MS_MAX } from '../limits.ts'
import { TASK_STATE_NAMES } from '../state.ts'
import {
  definedOnly,
  isAbsent,
  optionalInteger,
  optionalText,
  parseItems,
  refuseUnknown,
  requireBoolean,
  requireInteger,
  requireLine,
  requireWord,
  type Fields,
} from './field.ts'
import { parseQueueSettings } from './parse-queue-settings.ts'
import type {
  BackupRequest,
  CancelRequest,
  GetRequest,
  ListRequest,
  QueuePauseRequest,
  QueuePurgeRequest,
  QueueResumeRequest,
  QueueSetRequest,
  RedriveRequest,
  SetPriorityRequest,
  StartupLogRequest,
  StatsRequest,
  WaitRequest,
  WorkersRequest,
} from './request.ts'
import {
  ITEMS,
  optionalQueue,
  parseTaskIdItem,
  PRIORITY,
  requireQueue,
  requireTaskId,
  TASK_TYPE,
} from './task-field.ts'

const NO_FIELDS: ReadonlySet<string> = new Set()
const CANCEL_FIELDS: ReadonlySet<string> = new Set(['ids', 'reason'])
const REDRIVE_FIELDS: ReadonlySet<string> = new Set(['ids'])
const PRIORITY_FIELDS: ReadonlySet<string> = new Set(['ids', 'priority'])
const GET_FIELDS: ReadonlySet<string> = new Set(['id', 'payload'])
const WAIT_FIELDS: ReadonlySet<string> = new Set(['id', 'waitMs'])
const LIST_FIELDS: ReadonlySet<string> = new Set(['queue', 'state', 'type', 'limit', 'cursor'])
const QUEUE_FIELDS: ReadonlySet<string> = new Set(['queue'])
const SET_FIELDS: ReadonlySet<string> = new Set(['queue', 'settings'])
const PAUSE_FIELDS: ReadonlySet<string> = new Set(['queue', 'reason'])
const PURGE_FIELDS: ReadonlySet<string> = new Set(['queue', 'reason', 'cursor'])
const CURSOR_FIELDS: ReadonlySet<string> = new Set(['cursor'])
const REASON = { bytesMin: 0, bytesMax: REASON_BYTES_MAX }
const CURSOR = { bytesMin: 1, bytesMax: CURSOR_BYTES_MAX }
const WAIT_MS = { min: 0, max: WAIT_MS_MAX }
const LIMIT = { min: 1, max: LIST_ROWS_MAX }
const LIMIT_DEFAULT = 100

export function parseCancel(fields: Fields): CancelRequest {
  refuseUnknown(fields, CANCEL_FIELDS)
  return definedOnly<CancelRequest>({
    verb: 'cancel',
    ids: parseItems(fields['ids'], 'ids', ITEMS, parseTaskIdItem),
    reason: optionalText(fields['reason'], 'reason', REASON),
  })
}

export function parseRedrive(fields: Fields): RedriveRequest {
  refuseUnknown(fields, REDRIVE_FIELDS)
  return { verb: 'redrive', ids: parseItems(fields['ids'], 'ids', ITEMS, parseTaskIdItem) }
}

export function parseSetPriority(fields: Fields): SetPriorityRequest {
  refuseUnknown(fields, PRIORITY_FIELDS)
  return {
    verb: 'set-priority',
    ids: parseItems(fields['ids'], 'ids', ITEMS, parseTaskIdItem),
    priority: requireInteger(fields['priority'], 'priority', PRIORITY),
  }
}

export function parseGet(fields: Fields): GetRequest {
  refuseUnknown(fields, GET_FIELDS)
  const payload = fields['payload']
  return {
    verb: 'get',
    id: requireTaskId(fields['id'], 'id'),
    payload: isAbsent(payload) ? false : requireBoolean(payload, 'payload'),
  }
}

export function parseWait(fields: Fields): WaitRequest {
  refuseUnknown(fields, WAIT_FIELDS)
  return {
    verb: 'wait',
    id: requireTaskId(fields['id'], 'id'),
    waitMs: optionalInteger(fields['waitMs'], 'waitMs', WAIT_MS) ?? WAIT_MS_MAX,
  }
}

export function parseList(fields: Fields): ListRequest {
  refuseUnknown(fields, LIST_FIELDS)
  const { state, type } = fields
  return definedOnly<ListRequest>({
    verb: 'list',
    queue: optionalQueue(fields['queue']),
    state: isAbsent(state) ? undefined : requireWord(state, 'state', TASK_STATE_NAMES),
    type: isAbsent(type) ? undefined : requireLine(type, 'type', TASK_TYPE),
    limit: optionalInteger(fields['limit'], 'limit', LIMIT) ?? LIMIT_DEFAULT,
    cursor: optionalText(fields['cursor'], 'cursor', CURSOR),
  })
}

export function parseStats(fields: Fields): StatsRequest {
  refuseUnknown(fields, QUEUE_FIELDS)
  return definedOnly<StatsRequest>({ verb: 'stats', queue: optionalQueue(fields['queue']) })
}

export function parseWorkers(fields: Fields): WorkersRequest {
  refuseUnknown(fields, NO_FIELDS)
  return { verb: 'workers' }
}

export function parseStartupLog(fields: Fields): StartupLogRequest {
  refuseUnknown(fields, NO_FIELDS)
  return { verb: 'startup-log' }
}

export function parseQueueSet(fields: Fields): QueueSetRequest {
  refuseUnknown(fields, SET_FIELDS)
  return {
    verb: 'queue-set',
    queue: requireQueue(fields['queue'], 'queue'),
    settings: parseQueueSettings(fields['settings']),
  }
}

export function parseQueuePause(fields: Fields): QueuePauseRequest {
  refuseUnknown(fields, PAUSE_FIELDS)
  return definedOnly<QueuePauseRequest>({
    verb: 'queue-pause',
    queue: requireQueue(fields['queue'], 'queue'),
    reason: optionalText(fields['reason'], 'reason', REASON),
  })
}

export function parseQueueResume(fields: Fields): QueueResumeRequest {
  refuseUnknown(fields, QUEUE_FIELDS)
  return { verb: 'queue-resume', queue: requireQueue(fields['queue'], 'queue') }
}

export function parseQueuePurge(fields: Fields): QueuePurgeRequest {
  refuseUnknown(fields, PURGE_FIELDS)
  return definedOnly<QueuePurgeRequest>({
    verb: 'queue-purge',
    queue: requireQueue(fields['queue'], 'queue'),
    reason: optionalText(fields['reason'], 'reason', REASON),
    cursor: optionalText(fields['cursor'], 'cursor', CURSOR),
  })
}

export function parseBackup(fields: Fields): BackupRequest {
  refuseUnknown(fields, CURSOR_FIELDS)
  return definedOnly<BackupRequest>({
    verb: 'backup',
    cursor: optionalText(fields['cursor'], 'cursor', CURSOR),
  })
}
