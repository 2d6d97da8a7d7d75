// Messages of the protocol: requests, replies, refusals and pushes, to frames and from bodies.

import { isErrorCode, TqError, type ErrorCode, type ErrorDetails } from '../error.ts'
import { FRAME_BYTES_MAX, MSGPACK_NODES_MAX, REQUEST_ID_MAX } from '../limits.ts'
import { FRAME_HEADER_BYTES } from './frame.ts'
import { guardMessage } from './msgpack-guard.ts'
import { readMessage } from './msgpack-reader.ts'
import { FrameWriter } from './msgpack-writer.ts'
import { parseRequest } from './parse-request.ts'
import { readableId } from './request-id.ts'
import { writeArguments } from './request-writer.ts'
import type { Request } from './request.ts'

/** The first number of every message. */
const REQUEST = 0
const REPLY = 1
const REFUSAL = 2
const PUSH = 3

/**
 * A broker may answer with more values than it takes: the list of all queues is one reply. They are
 * bounded by the frame, since each value has a byte.
 */
const SERVER_NODES_MAX = FRAME_BYTES_MAX

/** A request that cannot be carried out, and the id under which to refuse it. */
export class RequestError extends TqError {
  /** 0 if the id could not be read: then refuse under 0 and close the connection. */
  readonly requestId: number

  constructor(requestId: number, error: TqError) {
    super(error.code, error.message, error.details, error.cause)
    this.requestId = requestId
  }
}

export type ServerMessage =
  | { readonly kind: 'reply'; readonly id: number; readonly result: unknown; readonly lsn: number }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: TqError }
  | { readonly kind: 'push'; readonly channel: string; readonly data: unknown }

/** One frame is built at a time, start to end; see {@link FrameWriter} for who owns the bytes. */
const writer = new FrameWriter()

/**
 * The frame of `[0, id, verb, args]`, its 4-byte header included.
 * @throws {TqError} `TOO_LARGE` if no broker would take it: it would close the connection.
 */
export function encodeRequestFrame(id: number, request: Request): Uint8Array {
  beginMessage(REQUEST, 4)
  writer.writeNumber(id)
  writer.writeString(request.verb)
  writeArguments(writer, request)
  const frame = writer.end()
  const bodyBytes = frame.length - FRAME_HEADER_BYTES
  if (bodyBytes <= FRAME_BYTES_MAX) return frame
  const text = `a request may have ${FRAME_BYTES_MAX} bytes, this ${request.verb} has ${bodyBytes}`
  throw new TqError('TOO_LARGE', text, { limit: FRAME_BYTES_MAX, bytes: bodyBytes })
}

/** The frame of `[1, id, result, lsn]`. Fields of the result that are undefined are left out. */
export function encodeReplyFrame(id: number, result: unknown, lsn: number): Uint8Array {
  beginMessage(REPLY, 4)
  writer.writeNumber(id)
  writer.writeValue(result)
  writer.writeNumber(lsn)
  return writer.end()
}

/** The frame of `[2, id, code, message, details]`. */
export function encodeRefusalFrame(
  id: number,
  code: ErrorCode,
  message: string,
  details: ErrorDetails = {},
): Uint8Array {
  beginMessage(REFUSAL, 5)
  writer.writeNumber(id)
  writer.writeString(code)
  writer.writeString(message)
  writer.writeFields(details)
  return writer.end()
}

/** The frame of `[3, channel, data]`. */
export function encodePushFrame(channel: string, data: unknown): Uint8Array {
  beginMessage(PUSH, 3)
  writer.writeString(channel)
  writer.writeValue(data)
  return writer.end()
}

function beginMessage(kind: number, length: number): void {
  writer.begin()
  writer.writeArrayHead(length)
  writer.writeNumber(kind)
}

/**
 * The request in a frame body. Ids, payloads and results are views of the body: copy what outlives
 * the request.
 * @throws {RequestError} `BAD_REQUEST`, `TOO_LARGE` or `UNSUPPORTED`.
 */
export function decodeRequest(body: Uint8Array): { id: number; request: Request } {
  let id = 0
  try {
    guardMessage(body, MSGPACK_NODES_MAX)
    const message = readMessage(body)
    if (!isRequest(message)) {
      throw new TqError('BAD_REQUEST', 'a request must be an array [0, id, verb, args]')
    }
    id = message[1]
    return { id, request: parseRequest(message[2], message[3]) }
  } catch (error) {
    if (!(error instanceof TqError)) throw error
    throw new RequestError(id === 0 ? readableId(body) : id, error)
  }
}

type RequestMessage = readonly [kind: 0, id: number, verb: unknown, args: unknown]

function isRequest(message: unknown): message is RequestMessage {
  return (
    Array.isArray(message) && message.length === 4 && message[0] === REQUEST && isId(message[1], 1)
  )
}

/**
 * The message in a frame body from a broker. What is inside a result or push is as the broker sent
 * it; bins are views of the body.
 * @throws {TqError} `BAD_REQUEST` or `TOO_LARGE` if this is no message of the protocol.
 */
export function decodeServerMessage(body: Uint8Array): ServerMessage {
  guardMessage(body, SERVER_NODES_MAX)
  const message = readMessage(body)
  const parts: readonly unknown[] = Array.isArray(message) ? message : []
  const [kind, id] = parts
  if (kind === PUSH && parts.length === 3) return pushOf(parts)
  if (kind === REPLY && parts.length === 4 && isId(id, 1)) return replyOf(id, parts)
  if (kind === REFUSAL && parts.length === 5 && isId(id, 0)) return refusalOf(id, parts)
  throw notAMessage()
}

function replyOf(id: number, parts: readonly unknown[]): ServerMessage {
  const lsn = parts[3]
  if (typeof lsn !== 'number') throw notAMessage()
  return { kind: 'reply', id, result: parts[2], lsn }
}

/** A code that this version does not know is kept in the text: the broker may be newer. */
function refusalOf(id: number, parts: readonly unknown[]): ServerMessage {
  const [, , code, text, details] = parts
  if (typeof code !== 'string' || typeof text !== 'string') throw notAMessage()
  const facts = typeof details === 'object' && details !== null ? (details as ErrorDetails) : {}
  const error = isErrorCode(code)
    ? new TqError(code, text, facts)
    : new TqError('INTERNAL', `${code}: ${text}`, facts)
  return { kind: 'refusal', id, error }
}

function pushOf(parts: readonly unknown[]): ServerMessage {
  const channel = parts[1]
  if (typeof channel !== 'string') throw notAMessage()
  return { kind: 'push', channel, data: parts[2] }
}

function notAMessage(): TqError {
  const forms = '[1, id, result, lsn], [2, id, code, message, details] or [3, channel, data]'
  return new TqError('BAD_REQUEST', `a message from a broker must be ${forms}`)
}

function isId(value: unknown, min: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= REQUEST_ID_MAX
}
