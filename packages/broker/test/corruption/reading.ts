// Everything that a broker says of its store, as texts under names: two brokers agree if these do.

import { limits, type ReplyOf, type RequestOf, type TaskRow, TqError, type Verb } from '@tq/core'
import { type WireClient } from '../end-to-end/wire-client.ts'
import { payloadOf } from './known-task.ts'
import { bytesOf, hexOf, keyedOptions, type Promised } from './load.ts'

/** Names and what was answered under them; `refused CODE` if it was refused. */
export type Reading = Readonly<Record<string, string>>

export const REFUSED = 'refused '
const QUEUES = ['alpha', 'beta', 'gamma', 'tail']
const WAITING = ['alpha', 'beta', 'gamma', 'tail']

export async function readEverything(
  wire: WireClient,
  promised: readonly Promised[],
): Promise<Reading> {
  const reader = new Reader(wire)
  await Promise.all(promised.map(({ id }) => reader.readTask(`task ${id}`, id)))
  await reader.readList()
  for (const queue of QUEUES) await reader.readQueue(queue)
  await reader.note('workers', reader.ask<'workers'>({ verb: 'workers' }), ({ workers }) =>
    workers.map(({ name, labels, slots, leases, principal }) => [
      name,
      labels,
      slots,
      leases,
      principal,
    ]),
  )
  for (const one of promised) await reader.enqueueAgain(one)
  for (const queue of WAITING) await reader.claimAll(queue)
  // What could not be given out must say so now.
  await Promise.all(promised.map(({ id }) => reader.readTaskAfterwards(id)))
  return reader.reading
}

class Reader {
  readonly #wire: WireClient
  readonly reading: Record<string, string> = {}

  constructor(wire: WireClient) {
    this.#wire = wire
  }

  ask<V extends Verb>(request: RequestOf<V>): Promise<ReplyOf<V>> {
    return this.#wire.ask<V>(request)
  }

  async readTask(name: string, id: string): Promise<void> {
    const asked = this.ask<'get'>({ verb: 'get', id: bytesOf(id), payload: true })
    await this.note(name, asked, (task) => task)
  }

  /** Tokens that were given out meanwhile begin with the epoch, which may have skipped ahead. */
  async readTaskAfterwards(id: string): Promise<void> {
    const asked = this.ask<'get'>({ verb: 'get', id: bytesOf(id), payload: true })
    await this.note(`after ${id}`, asked, (task) => {
      const { lease, ...rest } = task
      if (lease === undefined) return task
      return { ...rest, lease: { ...lease, token: lease.token % limits.TOKENS_PER_EPOCH } }
    })
  }

  async readList(): Promise<void> {
    let cursor: string | undefined
    do {
      const { tasks, cursor: next }: ReplyOf<'list'> = await this.ask<'list'>({
        verb: 'list',
        limit: 1_000,
        ...(cursor === undefined ? {} : { cursor }),
      }).catch((error: unknown) => {
        this.reading['list'] = refusalOf(error)
        return { tasks: [] as readonly TaskRow[], cursor: null }
      })
      for (const row of tasks) this.reading[`row ${hexOf(row.id)}`] = textOf(row)
      cursor = next ?? undefined
    } while (cursor !== undefined)
  }

  async readQueue(queue: string): Promise<void> {
    await this.note(`queue ${queue}`, this.ask<'stats'>({ verb: 'stats', queue }), ({ queues }) =>
      // Kept tasks are counted beside the work, and may not have been yet.
      queues.map((stats) => ({ ...stats, kept: null, dead: null })),
    )
  }

  /** The same request again: it must find the task that it made. */
  async enqueueAgain({ id, queue, type, idempotencyKey }: Promised): Promise<void> {
    const options = idempotencyKey === undefined ? undefined : keyedOptions(idempotencyKey)
    const known = bytesOf(id)
    // With a key the broker must find the task by it alone, under an id of another's making.
    const sentId = options === undefined ? known : undefined
    const tasks = [{ id: sentId, type, payload: payloadOf(known), options }]
    const asked = this.ask<'enqueue'>({ verb: 'enqueue', queue, tasks, fresh: false })
    await this.note(`again ${id}`, asked, ({ existing, ids }) => [existing, ids])
  }

  async claimAll(queue: string): Promise<void> {
    await this.ask<'queue-resume'>({ verb: 'queue-resume', queue }).catch(() => undefined)
    for (;;) {
      const claimed = await this.#wire
        .claim(queue, { max: limits.ITEMS_PER_REQUEST_MAX, leaseMs: 60_000 })
        .catch((error: unknown) => {
          this.reading[`claim ${queue}`] = refusalOf(error)
          return { tasks: [] }
        })
      for (const [id, , , type, attempt, payload, extra] of claimed.tasks) {
        this.reading[`claim ${hexOf(id)}`] = textOf([type, attempt, payload, extra])
      }
      if (claimed.tasks.length === 0) return
    }
  }

  async note<T>(name: string, asked: Promise<T>, what: (answer: T) => unknown): Promise<void> {
    this.reading[name] = await asked.then((answer) => textOf(what(answer)), refusalOf)
  }
}

function refusalOf(error: unknown): string {
  if (error instanceof TqError) return `${REFUSED}${error.code}`
  throw error
}

/** Bytes as hex, so that texts can be compared and read. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Uint8Array ? `0x${hexOf(part)}` : part,
  )
}
