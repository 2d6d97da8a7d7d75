// Speaks the protocol by hand: every frame, claim number and token is the test's own choice.

import { randomBytes } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import {
  type ClaimedTask,
  decodeServerMessage,
  encodeRequestFrame,
  FrameDecoder,
  limits,
  type QueueStats,
  type ReplyOf,
  type Request,
  type RequestOf,
  type ServerMessage,
  type StopOrder,
  type TaskDescription,
  type TaskIdBytes,
  type TaskSpec,
  TqError,
  type Verb,
} from '@tq/core'
import { eventually } from './eventually.ts'
import { aTask } from './task-spec.ts'

export interface WireOptions {
  readonly session?: Uint8Array
  readonly token?: string
  /** False: only connects; default true. */
  readonly hello?: boolean
}

export interface Held {
  readonly id: TaskIdBytes
  readonly token: number
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

type ClaimAsk = Partial<Omit<RequestOf<'claim'>, 'verb'>>

export class WireClient {
  readonly session: Uint8Array
  /** Refusals under an id that no request of ours has, such as 0. */
  readonly strayRefusals: TqError[] = []
  readonly pushes: { readonly channel: string; readonly data: unknown }[] = []
  /** Resolves when the socket is closed, by whichever side. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #decoder = new FrameDecoder(2 * limits.FRAME_BYTES_MAX)
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #lastClaim = 0

  static async connect(
    address: { readonly host: string; readonly port: number },
    options: WireOptions = {},
  ): Promise<WireClient> {
    const socket = createConnection({ ...address, noDelay: true, allowHalfOpen: true })
    const wire = new WireClient(socket, options.session ?? randomBytes(16))
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    if (options.hello ?? true) await wire.hello(options)
    return wire
  }

  private constructor(socket: Socket, session: Uint8Array) {
    this.#socket = socket
    this.session = session
    socket.on('data', (chunk) => this.#hear(chunk))
    // The broker has ended: there is nothing left to say.
    socket.on('end', () => socket.end())
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        resolve()
        for (const { reject } of this.#pending.values()) reject(new Error('the connection is gone'))
        this.#pending.clear()
      })
    })
  }

  get isClosed(): boolean {
    return this.#socket.destroyed
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  hello(options: WireOptions = {}): Promise<ReplyOf<'hello'>> {
    const { token } = options
    return this.ask({
      verb: 'hello',
      protocol: 1,
      client: { name: 'end-to-end', version: '1' },
      session: this.session,
      ...(token === undefined ? {} : { token }),
    })
  }

  /** Sends a request and waits for its answer. @throws {TqError} if it is refused. */
  ask<V extends Verb>(request: RequestOf<V>): Promise<ReplyOf<V>> {
    return this.begin(request).answer
  }

  /** Sends a request; its id can be aborted. */
  begin<V extends Verb>(
    request: RequestOf<V>,
  ): { readonly id: number; readonly answer: Promise<ReplyOf<V>> } {
    this.#lastId += 1
    const id = this.#lastId
    const answer = this.expect<ReplyOf<V>>(id)
    this.write(encodeRequestFrame(id, request as Request))
    return { id, answer }
  }

  /** The answer to a request that is written by hand. */
  expect<T>(id: number): Promise<T> {
    const answer = new Promise<T>((resolve, reject) => {
      // Nobody is left to answer, and `close` may have come and gone.
      if (this.isClosed) reject(new Error('the connection is gone'))
      else this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject })
    })
    // A test that drops the connection need not look at every answer that it loses.
    answer.catch(() => undefined)
    return answer
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Reads no more: answers pile up on the way. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Says that nothing more is coming, and goes on listening. */
  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Enqueues plain tasks, or those given. */
  async enqueue(queue: string, tasks: number | readonly TaskSpec[] = 1): Promise<TaskIdBytes[]> {
    const specs =
      typeof tasks === 'number' ? Array.from({ length: tasks }, () => aTask(queue)) : tasks
    await this.ask<'enqueue'>({ verb: 'enqueue', queue, tasks: specs, fresh: true })
    return specs.map(({ id }) => id as TaskIdBytes)
  }

  /** Claims under the next number of this session, or the one given. */
  claim(queue: string, ask: ClaimAsk = {}): Promise<ReplyOf<'claim'>> {
    return this.beginClaim(queue, ask).answer
  }

  beginClaim(
    queue: string,
    ask: ClaimAsk = {},
  ): { readonly id: number; readonly answer: Promise<ReplyOf<'claim'>> } {
    this.#lastClaim = ask.claim ?? this.#lastClaim + 1
    return this.begin<'claim'>({
      verb: 'claim',
      queues: [queue],
      max: 1,
      waitMs: 0,
      start: true,
      order: 'round',
      ...ask,
      claim: this.#lastClaim,
    })
  }

  complete(held: Held, result?: Uint8Array): Promise<ReplyOf<'complete'>> {
    const { id, token } = held
    return this.ask<'complete'>({ verb: 'complete', tasks: [{ id, token, result }] })
  }

  release(held: Held): Promise<ReplyOf<'release'>> {
    return this.ask<'release'>({ verb: 'release', tasks: [held] })
  }

  task(id: TaskIdBytes): Promise<TaskDescription> {
    return this.ask<'get'>({ verb: 'get', id, payload: false })
  }

  async stats(queue: string): Promise<QueueStats> {
    const { queues } = await this.ask<'stats'>({ verb: 'stats', queue })
    return queues[0] as QueueStats
  }

  /** The stop order for a task, once it was pushed. */
  stopOf(held: Held): Promise<StopOrder> {
    return eventually(() => {
      const orders = this.pushes
        .filter(({ channel }) => channel === 'stop')
        .flatMap(({ data }) => data as readonly StopOrder[])
      const order = orders.find(([, token]) => token === held.token)
      if (order === undefined) throw new Error('no order to stop has come')
      return order
    })
  }

  #hear(chunk: Uint8Array): void {
    for (const body of this.#decoder.push(chunk)) this.#take(decodeServerMessage(body))
  }

  #take(message: ServerMessage): void {
    if (message.kind === 'push') {
      this.pushes.push(message)
      return
    }
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (message.kind === 'reply') pending?.resolve(message.result)
    else if (pending === undefined) this.strayRefusals.push(message.error)
    else pending.reject(message.error)
  }
}

export function heldOf(task: ClaimedTask | undefined): Held {
  if (task === undefined) throw new Error('no task was claimed')
  return { id: task[0], token: task[1] }
}

/** The code with which a request was refused. */
export async function refusalOf(answer: Promise<unknown>): Promise<string> {
  try {
    return `answered with ${JSON.stringify(await answer)}`
  } catch (error) {
    if (error instanceof TqError) return error.code
    throw error
  }
}
