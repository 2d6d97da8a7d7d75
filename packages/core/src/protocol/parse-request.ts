// From a verb and its arguments to a typed request: one parser for each verb.

import { TqError } from '../error.ts'
import { FieldError, requireMap, type Fields } from './field.ts'
import {
  parseBackup,
  parseCancel,
  parseGet,
  parseList,
  parseQueuePause,
  parseQueuePurge,
  parseQueueResume,
  parseQueueSet,
  parseRedrive,
  parseSetPriority,
  parseStartupLog,
  parseStats,
  parseWait,
  parseWorkers,
} from './parse-operator-request.ts'
import {
  parseAbort,
  parseHello,
  parseLeave,
  parsePing,
  parseRegister,
} from './parse-session-request.ts'
import {
  parseClaim,
  parseComplete,
  parseEnqueue,
  parseFail,
  parseHeartbeat,
  parseProgresses,
  parseRelease,
  parseStart,
} from './parse-work-request.ts'
import type { Request, RequestOf, Verb } from './request.ts'

const PARSERS: { readonly [Name in Verb]: (fields: Fields) => RequestOf<Name> } = {
  hello: parseHello,
  ping: parsePing,
  abort: parseAbort,
  register: parseRegister,
  leave: parseLeave,
  enqueue: parseEnqueue,
  claim: parseClaim,
  start: parseStart,
  heartbeat: parseHeartbeat,
  progress: parseProgresses,
  complete: parseComplete,
  fail: parseFail,
  release: parseRelease,
  cancel: parseCancel,
  redrive: parseRedrive,
  'set-priority': parseSetPriority,
  get: parseGet,
  wait: parseWait,
  list: parseList,
  stats: parseStats,
  workers: parseWorkers,
  'startup-log': parseStartupLog,
  'queue-set': parseQueueSet,
  'queue-pause': parseQueuePause,
  'queue-resume': parseQueueResume,
  'queue-purge': parseQueuePurge,
  backup: parseBackup,
}

/** Every verb of the protocol, in the order of docs/protocol.md. */
export const VERBS: readonly Verb[] = Object.keys(PARSERS) as Verb[]

export function isVerb(value: unknown): value is Verb {
  return typeof value === 'string' && Object.hasOwn(PARSERS, value)
}

/**
 * Checks every field of a request once; what it gives needs no second look. Bytes stay views of the
 * message.
 * @throws {TqError} `BAD_REQUEST` or `TOO_LARGE` with the field (and the index of the item) in its
 * details, `UNSUPPORTED` for a verb or protocol version that is not known.
 */
export function parseRequest(verb: unknown, args: unknown): Request {
  if (!isVerb(verb)) {
    const shown = typeof verb === 'string' ? JSON.stringify(verb.slice(0, 40)) : typeof verb
    throw new TqError('UNSUPPORTED', `the verb ${shown} is not known to protocol 1`)
  }
  try {
    return PARSERS[verb](requireMap(args, 'args'))
  } catch (error) {
    throw error instanceof FieldError ? typedRefusal(error) : error
  }
}

function typedRefusal(error: FieldError): TqError {
  const { code, path, index } = error
  return new TqError(
    code,
    error.message,
    index === undefined ? { field: path } : { field: path, index },
  )
}
