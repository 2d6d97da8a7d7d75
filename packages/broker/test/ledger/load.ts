// The load of one connection: one request after the other, chosen by chance, everything written down.

import { limits, type TaskIdMaker, type RequestOf, slotOfQueue, type TaskSpec } from '@tq/core'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { type Book, type Gate, heldOf } from './book.ts'
import { ABSENT, hashOf, hexOf, type LedgerTask, type Standing } from './ledger-task.ts'
import type { Line } from './line.ts'

/** No lease ends by itself while a rig runs, so that every end of one is somebody's request. */
const LEASE_MS = limits.LEASE_MS_MAX
const MAX_ATTEMPTS = 3
const TASK_TYPE = 'ledger'
/** Held tasks of all connections from which on nobody claims more. */
const HELD_MAX = 200
/** How long a connection waits after a refusal, in ms: the broker is full, or about to go. */
const PAUSE_MS = 20

export interface LoadParts {
  readonly book: Book
  readonly line: Line
  readonly random: SeededRandom
  readonly ids: TaskIdMaker
  /** Queues that all connections share. */
  readonly queues: readonly string[]
  /** This connection's own queue: nobody claims from it. */
  readonly gate: Gate
  readonly payloadBytesMax: number
  /** Bytes from which payloads and results are cut. */
  readonly pool: Uint8Array
}

type Operation =
  'enqueue' | 'batch' | 'shelve' | 'repeat' | 'claim' | 'end' | 'unshelve' | 'beat' | 'turn'

/** How often each is chosen, of a hundred. */
const SHARES: readonly (readonly [Operation, number])[] = [
  ['enqueue', 22],
  ['batch', 10],
  ['shelve', 3],
  ['repeat', 3],
  ['claim', 16],
  ['end', 38],
  ['unshelve', 3],
  ['beat', 3],
  ['turn', 2],
]

export class Load {
  readonly #parts: LoadParts
  /** Leases of this connection's session; some have ended. */
  readonly #claimed = new Set<LedgerTask>()
  readonly #shelved: LedgerTask[] = []
  #repeatable: { readonly task: LedgerTask; readonly spec: TaskSpec } | undefined
  #claimCount = 0

  constructor(parts: LoadParts) {
    this.#parts = parts
  }

  /** Until the connection is gone or it is told to end. */
  async run(mayGoOn: () => boolean): Promise<void> {
    const { book, line } = this.#parts
    while (mayGoOn() && !line.isGone) {
      const refused = book.refusedCount
      await this.#once(this.#draw())
      if (book.refusedCount > refused) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  #draw(): Operation {
    let at = this.#parts.random.chance() * 100
    for (const [operation, share] of SHARES) {
      if (at < share) return operation
      at -= share
    }
    return 'end'
  }

  async #once(operation: Operation): Promise<void> {
    const { queues, gate, random } = this.#parts
    switch (operation) {
      case 'enqueue':
        return void (await this.#enqueue(random.pick(queues), 1))
      case 'batch':
        return void (await this.#enqueue(random.pick(queues), random.between(2, 8)))
      case 'shelve':
        return void this.#shelved.push(...(await this.#enqueue(gate.queue, random.between(1, 3))))
      case 'repeat':
        return this.#repeat()
      case 'claim':
        return this.#claim()
      case 'end':
        return this.#end()
      case 'unshelve':
        return this.#cancelShelved()
      case 'beat':
        return this.#heartbeat()
      case 'turn':
        return this.#turnGate()
    }
  }

  async #enqueue(queue: string, count: number): Promise<readonly LedgerTask[]> {
    const { book, line } = this.#parts
    const specs = Array.from({ length: count }, () => this.#spec(queue))
    const effects = specs.map((spec) => [this.#write(queue, spec), waiting(0)] as const)
    const request = { verb: 'enqueue', queue, tasks: specs, fresh: true } as const
    const reply = await book.change<'enqueue'>(line, request, effects)
    if (reply === undefined) return []
    if (reply.count !== count || reply.existing !== undefined) {
      book.findings.wrong.push(`a new enqueue was answered with ${JSON.stringify(reply)}`)
    }
    const tasks = effects.map(([task]) => task)
    const at = specs.findIndex(({ options }) => options?.idempotencyKey !== undefined)
    const [task, spec] = [tasks[at], specs[at]]
    if (task !== undefined && spec !== undefined) this.#repeatable = { task, spec }
    return tasks
  }

  /** The same request under the same key and another id: the same task. I6. */
  async #repeat(): Promise<void> {
    const { book, line, ids } = this.#parts
    if (this.#repeatable === undefined) return
    const { task, spec } = this.#repeatable
    const again = { ...spec, id: ids.make(slotOfQueue(task.queue)) }
    const { queue } = task
    const request = { verb: 'enqueue', queue, tasks: [again], fresh: false } as const
    const reply = await book.other<'enqueue'>(line, request)
    if (typeof reply === 'string') return
    const [id] = reply.ids ?? []
    if (id !== undefined && hexOf(id) === task.key) return
    book.findings.wrong.push(`the idempotency key of ${task.key} gave ${JSON.stringify(reply)}`)
  }

  async #claim(): Promise<void> {
    const { book, line, queues, random } = this.#parts
    if (book.idle.length > HELD_MAX) return this.#end()
    this.#claimCount += 1
    const request: RequestOf<'claim'> = {
      verb: 'claim',
      queues,
      max: random.between(1, 8),
      waitMs: 0,
      leaseMs: LEASE_MS,
      start: true,
      claim: this.#claimCount,
      order: 'round',
    }
    for (const task of await book.claim(line, request)) this.#claimed.add(task)
  }

  /** Ends what somebody holds, one or several at once, whoever claimed it. */
  async #end(): Promise<void> {
    const { book, random } = this.#parts
    const count = random.happens(0.7) ? 1 : random.between(2, 5)
    const tasks: LedgerTask[] = []
    for (let tries = 0; tries < count && book.idle.length > 0; tries += 1) {
      const task = book.takeIdle(random.between(0, book.idle.length - 1))
      if (task !== undefined) tasks.push(task)
    }
    const open = tasks.filter((task) => !heldOf(task).cancelRequested)
    const cancelled = tasks.filter((task) => heldOf(task).cancelRequested)
    if (cancelled.length > 0) await this.#release(cancelled)
    if (open.length > 0) await this.#endOpen(open)
    for (const task of tasks) book.putIdle(task)
  }

  #endOpen(tasks: readonly LedgerTask[]): Promise<void> {
    const at = this.#parts.random.chance()
    if (at < 0.65) return this.#complete(tasks)
    if (at < 0.85) return this.#fail(tasks)
    if (at < 0.93) return this.#release(tasks)
    return this.#cancelHeld(tasks)
  }

  async #complete(tasks: readonly LedgerTask[]): Promise<void> {
    const { book, line } = this.#parts
    const results = tasks.map(() => this.#bytes(200))
    const effects = tasks.map((task, index) => {
      const resultHash = hashOf(results[index] as Uint8Array)
      return [task, ended(heldOf(task).failures, 'completed', resultHash)] as const
    })
    const items = tasks.map((task, index) => ({ ...held(task), result: results[index] }))
    const request = { verb: 'complete', tasks: items } as const
    book.expectItems('complete', await book.change<'complete'>(line, request, effects))
  }

  async #fail(tasks: readonly LedgerTask[]): Promise<void> {
    const { book, line, random } = this.#parts
    const effects = tasks.map((task) => {
      const failures = heldOf(task).failures + 1
      const isDead = failures >= MAX_ATTEMPTS
      return [task, isDead ? ended(failures, 'dead') : waiting(failures)] as const
    })
    const error = { message: 'the ledger wants it so' }
    const items = tasks.map((task) => {
      return { ...held(task), error, retryAfterMs: random.between(1, 50) }
    })
    const request = { verb: 'fail', tasks: items } as const
    book.expectItems('fail', await book.change<'fail'>(line, request, effects))
  }

  /** Confirms a cancel, if somebody asked for it. */
  async #release(tasks: readonly LedgerTask[]): Promise<void> {
    const { book, line } = this.#parts
    const effects = tasks.map((task) => {
      const { failures, cancelRequested } = heldOf(task)
      return [task, cancelRequested ? ended(failures, 'cancelled') : waiting(failures)] as const
    })
    const request = { verb: 'release', tasks: tasks.map(held) } as const
    book.expectItems('release', await book.change<'release'>(line, request, effects))
  }

  async #cancelHeld(tasks: readonly LedgerTask[]): Promise<void> {
    const effects = tasks.map((task) => [task, { ...heldOf(task), cancelRequested: true }] as const)
    await this.#cancel(effects)
  }

  async #cancelShelved(): Promise<void> {
    const tasks = this.#shelved.splice(0, this.#parts.random.between(1, 3))
    if (tasks.length > 0) await this.#cancel(tasks.map((task) => [task, ended(0, 'cancelled')]))
  }

  async #cancel(effects: readonly (readonly [LedgerTask, Standing])[]): Promise<void> {
    const { book, line } = this.#parts
    const request = { verb: 'cancel', ids: effects.map(([{ id }]) => id) } as const
    book.expectItems('cancel', await book.change<'cancel'>(line, request, effects))
  }

  async #heartbeat(): Promise<void> {
    const { book, line } = this.#parts
    const session = hexOf(line.session)
    for (const task of this.#claimed) {
      const { standing } = task
      if (standing.kind !== 'held' || standing.session !== session) this.#claimed.delete(task)
    }
    const tasks = [...this.#claimed]
    const leases = tasks.map(held)
    const request = { verb: 'heartbeat', leases, received: this.#claimCount } as const
    const reply = await book.other<'heartbeat'>(line, request)
    if (typeof reply === 'string') return
    if (reply.released !== undefined && reply.released > 0) {
      book.findings.wrong.push(`a heartbeat gave back ${reply.released} leases that it had named`)
    }
    for (const [id, token, reason] of reply.stop ?? []) {
      const { standing, pending, key } = book.tasks.get(hexOf(id)) as LedgerTask
      const isOurs = standing.kind === 'held' && standing.token === token && pending === undefined
      if (!isOurs || (reason === 'cancelled' && standing.cancelRequested)) continue
      book.findings.wrong.push(`${key} is held, but a heartbeat says that it is ${reason}`)
    }
  }

  async #turnGate(): Promise<void> {
    const { book, line, gate } = this.#parts
    const { queue } = gate
    const paused = gate.paused !== true
    gate.pending = paused
    const verb = paused ? 'queue-pause' : 'queue-resume'
    const reply = await book.other<'queue-pause' | 'queue-resume'>(line, { verb, queue })
    if (reply === 'gone') return
    gate.pending = undefined
    if (reply !== 'refused') gate.paused = paused
  }

  #spec(queue: string): TaskSpec {
    const { ids, random, payloadBytesMax } = this.#parts
    const payload = this.#bytes(payloadBytesMax)
    const id = ids.make(slotOfQueue(queue))
    const idempotencyKey = random.happens(0.2) ? `once-${hexOf(id)}` : undefined
    const options = {
      priority: random.between(0, 255),
      maxAttempts: MAX_ATTEMPTS,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    }
    return { id, type: TASK_TYPE, payload, options }
  }

  #write(queue: string, { id, payload, options }: TaskSpec): LedgerTask {
    if (id === undefined) throw new Error('the ledger makes its own ids')
    const task: LedgerTask = {
      id,
      key: hexOf(id),
      queue,
      payloadHash: hashOf(payload),
      idempotencyKey: options?.idempotencyKey,
      standing: ABSENT,
      lsn: 0,
      token: 0,
      pending: undefined,
      isIdle: false,
    }
    this.#parts.book.tasks.set(task.key, task)
    return task
  }

  /** Mostly few, seldom many. */
  #bytes(bytesMax: number): Uint8Array {
    const { random, pool } = this.#parts
    const count = Math.min(pool.length, Math.floor(random.magnitude(1, bytesMax + 1)))
    const from = random.between(0, pool.length - count)
    return pool.subarray(from, from + count)
  }
}

function held(task: LedgerTask): { readonly id: Uint8Array; readonly token: number } {
  return { id: task.id, token: heldOf(task).token }
}

function waiting(failures: number): Standing {
  return { kind: 'waiting', failures }
}

function ended(failures: number, state: string, resultHash?: string): Standing {
  return { kind: 'ended', failures, state, resultHash }
}
