// Writes down everything that a process says to a broker, and hears from it, as it stands on the wire.

import { createHash } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import {
  decodeRequest,
  decodeServerMessage,
  FrameDecoder,
  limits,
  type ReplyOf,
  type Request,
  type TaskSpec,
  type Verb,
} from '@tq/core'
import { type HistoryWriter, nowMicros } from './history-writer.ts'
import type { Ask, AskedTask, Reply } from './history-line.ts'

/** Queues of the run have these, unless a task says otherwise. */
export const QUEUE_ATTEMPTS = 4
export const QUEUE_LOSSES = 12

/** Taps each connection that this thread opens from now on. */
export function tapConnections(history: HistoryWriter): void {
  let count = 0
  subscribe('net.client.socket', (message) => {
    count += 1
    tap((message as { socket: Socket }).socket, new Conversation(history, count))
  })
}

function tap(socket: Socket, conversation: Conversation): void {
  // Connecting puts the original `write` back; and nobody of ours writes before it is connected.
  socket.once('connect', () => {
    const write = socket.write.bind(socket) as (...parts: unknown[]) => boolean
    socket.write = ((chunk: Uint8Array, ...rest: unknown[]): boolean => {
      conversation.said(chunk)
      return write(chunk, ...rest)
    }) as typeof socket.write
  })
  // Before the client's own listener, which is added after this: it cannot act on what is not noted.
  socket.on('data', (chunk) => conversation.heard(chunk))
}

class Conversation {
  readonly #history: HistoryWriter
  readonly #number: number
  readonly #up = new FrameDecoder(limits.FRAME_BYTES_MAX)
  readonly #down = new FrameDecoder(2 * limits.FRAME_BYTES_MAX)
  readonly #verbs = new Map<number, Verb>()
  #session = ''

  constructor(history: HistoryWriter, number: number) {
    this.#history = history
    this.#number = number
  }

  said(chunk: Uint8Array): void {
    for (const body of this.#up.push(chunk)) {
      const { id, request } = decodeRequest(body)
      this.#ask(id, request)
    }
    this.#history.flush()
  }

  heard(chunk: Uint8Array): void {
    for (const body of this.#down.push(chunk)) {
      const message = decodeServerMessage(body)
      if (message.kind === 'push') continue
      const verb = this.#verbs.get(message.id)
      this.#verbs.delete(message.id)
      if (verb === undefined) continue
      const line = { t: nowMicros(), c: this.#number, i: message.id }
      if (message.kind === 'refusal') {
        this.#history.note({ k: 'no', ...line, code: message.error.code })
      } else {
        this.#history.note({ k: 'ok', ...line, l: message.lsn, r: replyOf(verb, message.result) })
      }
    }
  }

  #ask(id: number, request: Request): void {
    if (request.verb === 'hello') this.#session = hex(request.session ?? new Uint8Array(0))
    const a = askOf(request)
    if (a === undefined) return
    this.#verbs.set(id, request.verb)
    const named = request.verb === 'heartbeat' ? request.session : undefined
    const s = named === undefined ? this.#session : hex(named)
    this.#history.note({ k: 'ask', t: nowMicros(), c: this.#number, i: id, s, a })
  }
}

function askOf(request: Request): Ask | undefined {
  switch (request.verb) {
    case 'enqueue':
      return {
        v: request.verb,
        q: request.queue,
        x: request.tasks.map((task) => askedTask(request.queue, task)),
      }
    case 'claim':
      return { v: request.verb, n: request.claim }
    case 'complete':
    case 'release':
    case 'start':
      return { v: request.verb, x: request.tasks.map(({ id, token }) => [hex(id), token]) }
    case 'heartbeat': {
      const x = request.leases.map(({ id, token }) => [hex(id), token] as const)
      return { v: request.verb, n: request.received, x }
    }
    case 'fail':
      return {
        v: request.verb,
        x: request.tasks.map(({ id, token, retryable }) => [hex(id), token, retryable ?? true]),
      }
    case 'cancel':
    case 'redrive':
      return { v: request.verb, x: request.ids.map(hex) }
    case 'leave':
      return { v: request.verb }
    default:
      return undefined // changes no task
  }
}

function askedTask(queue: string, { id, type, payload, options }: TaskSpec): AskedTask {
  return {
    id: hex(id ?? new Uint8Array(0)),
    h: fingerprint(queue, type, payload),
    attempts: options?.maxAttempts ?? QUEUE_ATTEMPTS,
    losses: options?.maxLost ?? QUEUE_LOSSES,
    ...(options?.idempotencyKey === undefined ? {} : { key: options.idempotencyKey }),
    ...(options?.ttlMs === undefined ? {} : { expires: true }),
    ...(options?.timeoutMs === undefined ? {} : { timed: true }),
  }
}

function replyOf(verb: Verb, result: unknown): Reply {
  switch (verb) {
    case 'enqueue': {
      const { ids } = result as ReplyOf<'enqueue'>
      return ids === undefined ? {} : { ids: ids.map(hex) }
    }
    case 'claim':
      return {
        leased: (result as ReplyOf<'claim'>).tasks.map(
          ([id, token, queue, type, attempt, payload, { failures = 0, losses = 0 }]) => {
            const h = fingerprint(queue, type, payload)
            return { id: hex(id), token, attempt, failures, losses, h }
          },
        ),
      }
    case 'heartbeat': {
      const { stop = [] } = result as ReplyOf<'heartbeat'>
      return { stop: stop.map(([id, token, reason]) => [hex(id), token, reason]) }
    }
    case 'leave':
      return {}
    default:
      return itemsOf(result as ReplyOf<'cancel'> | ReplyOf<'fail'>)
  }
}

function itemsOf({ already, refused, outcomes }: ReplyOf<'cancel'> | ReplyOf<'fail'>): Reply {
  return {
    ...(already === undefined ? {} : { already }),
    ...(refused === undefined ? {} : { refused: refused.map(([index, code]) => [index, code]) }),
    ...(outcomes === undefined
      ? {}
      : { outcomes: outcomes.map((each) => (Array.isArray(each) ? String(each[0]) : each)) }),
  } as Reply
}

function fingerprint(queue: string, type: string, payload: Uint8Array): string {
  const hash = createHash('md5').update(`${queue}\n${type}\n`).update(payload)
  return hash.digest('base64url').slice(0, 12)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
