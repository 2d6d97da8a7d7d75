// The verbs that concern a connection and its session: hello, ping, abort, register, leave.

import { TqError } from '../error.ts'
import { ACCESS_TOKEN_BYTES_MAX, NAME_BYTES_MAX, REQUEST_ID_MAX, SLOTS_MAX } from '../limits.ts'
import {
  badField,
  isAbsent,
  optionalText,
  refuseUnknown,
  requireInteger,
  requireLine,
  requireMap,
  within,
  type Fields,
} from './field.ts'
import {
  PROTOCOL_VERSION,
  type AbortRequest,
  type HelloRequest,
  type LeaveRequest,
  type PingRequest,
  type RegisterRequest,
} from './request.ts'
import { requireLabels } from './task-field.ts'

const SESSION_BYTES = 16

const NO_FIELDS: ReadonlySet<string> = new Set()
const HELLO_FIELDS: ReadonlySet<string> = new Set(['protocol', 'client', 'token', 'session'])
const CLIENT_FIELDS: ReadonlySet<string> = new Set(['name', 'version'])
const ABORT_FIELDS: ReadonlySet<string> = new Set(['id'])
const REGISTER_FIELDS: ReadonlySet<string> = new Set(['name', 'version', 'labels', 'slots'])
const PROTOCOL = { min: 1, max: 0xffff }
const NAME = { bytesMin: 1, bytesMax: NAME_BYTES_MAX }
const ACCESS_TOKEN = { bytesMin: 1, bytesMax: ACCESS_TOKEN_BYTES_MAX }
const REQUEST_ID = { min: 1, max: REQUEST_ID_MAX }
const SLOTS = { min: 1, max: SLOTS_MAX }

/** The version is looked at first: a newer client's fields must not hide that it is newer. */
export function parseHello(fields: Fields): HelloRequest {
  const protocol = requireInteger(fields['protocol'], 'protocol', PROTOCOL)
  if (protocol !== PROTOCOL_VERSION) {
    throw new TqError(
      'UNSUPPORTED',
      `this broker speaks protocol ${PROTOCOL_VERSION}, the client asked for ${protocol}`,
      { field: 'protocol', protocol: PROTOCOL_VERSION },
    )
  }
  refuseUnknown(fields, HELLO_FIELDS)
  const token = optionalText(fields['token'], 'token', ACCESS_TOKEN)
  const session = optionalSession(fields['session'])
  return {
    verb: 'hello',
    protocol,
    client: parseClient(fields['client']),
    ...(token === undefined ? {} : { token }),
    ...(session === undefined ? {} : { session }),
  }
}

function parseClient(value: unknown): HelloRequest['client'] {
  try {
    const fields = requireMap(value, '')
    refuseUnknown(fields, CLIENT_FIELDS)
    return {
      name: requireLine(fields['name'], 'name', NAME),
      version: requireLine(fields['version'], 'version', NAME),
    }
  } catch (error) {
    throw within(error, 'client')
  }
}

export function optionalSession(value: unknown): Uint8Array | undefined {
  if (isAbsent(value)) return undefined
  return value instanceof Uint8Array && value.length === SESSION_BYTES
    ? value
    : badField('session', `must be a bin of ${SESSION_BYTES} bytes`)
}

export function parsePing(fields: Fields): PingRequest {
  refuseUnknown(fields, NO_FIELDS)
  return { verb: 'ping' }
}

export function parseAbort(fields: Fields): AbortRequest {
  refuseUnknown(fields, ABORT_FIELDS)
  return { verb: 'abort', id: requireInteger(fields['id'], 'id', REQUEST_ID) }
}

export function parseRegister(fields: Fields): RegisterRequest {
  refuseUnknown(fields, REGISTER_FIELDS)
  return {
    verb: 'register',
    name: requireLine(fields['name'], 'name', NAME),
    version: requireLine(fields['version'], 'version', NAME),
    labels: isAbsent(fields['labels']) ? {} : requireLabels(fields['labels'], 'labels'),
    slots: requireInteger(fields['slots'], 'slots', SLOTS),
  }
}

export function parseLeave(fields: Fields): LeaveRequest {
  refuseUnknown(fields, NO_FIELDS)
  return { verb: 'leave' }
}
