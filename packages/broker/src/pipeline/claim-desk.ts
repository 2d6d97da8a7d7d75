// Claims: leased at once, or parked and served in the very turn that makes work ready.

import { type ClaimedExtra, type ClaimedTask, type ClaimRequest, limits } from '@tq/core'
import type { Claimed } from '../engine/decide-claim.ts'
import { Refusal } from '../engine/decision.ts'
import { groupsFor, lanesFor } from '../engine/pick.ts'
import type { Queue } from '../engine/queue.ts'
import { sessionKey } from '../engine/session.ts'
import { readPayloadRecord, type PayloadRecord } from '../storage/payload-record.ts'
import type { Conversation } from './conversation.ts'
import { LineRace } from './line-race.ts'
import { type ParkedClaim, Parking } from './parking.ts'
import type { Partition } from './partition.ts'
import type { Line } from './queue-lines.ts'

const DEFAULT_PRIORITY = 128

export class ClaimDesk {
  readonly #partition: Partition
  readonly #parking: Parking
  /** Keys of sessions whose parked claims are to be looked at again. */
  readonly #changed = new Set<string>()

  constructor(partition: Partition) {
    this.#partition = partition
    this.#parking = new Parking(partition.world.scheduler)
  }

  get parkedCount(): number {
    return this.#parking.size
  }

  parkedOn(queue: string): number {
    return this.#parking.countOn(queue)
  }

  claim(conversation: Conversation, id: number, request: ClaimRequest): void {
    // The same claim, parked over a connection that is gone without our knowing: it moves here.
    const before = this.#parking.find(conversation.sessionKey, request.claim)
    if (before !== undefined) this.abort(before.conversation, before.requestId)
    if (this.#grant(conversation, id, request)) return
    if (request.waitMs === 0) this.#answerEmpty(conversation, id)
    else if (conversation.park(id)) {
      this.#parking.park({ conversation, requestId: id, request }, () =>
        this.#answerEmpty(conversation, id),
      )
    }
  }

  /** A session has other labels now, or is gone: what its parked claims may take has changed. */
  sessionChanged(id: Uint8Array): void {
    if (this.#parking.size > 0) this.#changed.add(sessionKey(id))
  }

  /** Serves parked claims on queues that got ready tasks, so that both share one commit. */
  serveWoken(): void {
    if (this.#changed.size > 0) this.#serveChanged()
    const { woken } = this.#partition.state
    for (const queue of woken) {
      woken.delete(queue)
      if (this.#parking.countOn(queue.name) > 0) this.#serve(queue)
    }
  }

  #serveChanged(): void {
    for (const key of this.#changed) {
      this.#changed.delete(key)
      for (const parked of this.#parking.regroup(key)) this.#serveAgain(parked)
    }
  }

  /** Who has waited longest goes first, of those who could take something at all. */
  #serve(queue: Queue): void {
    if (queue.paused) return
    const hasWork = ({ first }: Line<ParkedClaim>): boolean =>
      first !== undefined && this.#hasWorkFor(first, queue)
    const lines = this.#parking.linesOn(queue, (parked) => this.#kindOf(parked, queue))
    const race = new LineRace(lines.filter(hasWork))
    while (queue.countOf('queued') > 0) {
      const line = race.next()
      if (line === undefined) return
      // Others may have taken what the line was to have.
      const isServed = line.first !== undefined && hasWork(line) && this.#serveAgain(line.first)
      if (isServed) race.add(line)
    }
  }

  #hasWorkFor({ conversation, request }: ParkedClaim, queue: Queue): boolean {
    const session = this.#partition.state.sessionsByKey.get(conversation.sessionKey)
    return lanesFor(session, queue, request.minPriority ?? 0).length > 0
  }

  /**
   * Claims that meet the same requirements and have the same least priority may take the same
   * tasks. Labels that no task asks for, such as the host's name, make no difference.
   */
  #kindOf({ conversation, request }: ParkedClaim, queue: Queue): string {
    const session = this.#partition.state.sessionsByKey.get(conversation.sessionKey)
    const keys = groupsFor(session, queue).map((group) => group.key)
    return [request.minPriority ?? 0, ...keys].join('\n')
  }

  /** Tries a parked claim once more. False if it found nothing and waits on. */
  #serveAgain({ conversation, requestId, request }: ParkedClaim): boolean {
    // Leases of a silent worker would be lost at once, and each loss counts against its task.
    if (this.#isSilent(conversation)) return this.abort(conversation, requestId)
    if (!this.#grant(conversation, requestId, request, 'retried')) return false
    this.#parking.unpark(conversation, requestId)
    return true
  }

  #isSilent({ sessionKey: key }: Conversation): boolean {
    const { state } = this.#partition
    const session = state.sessionsByKey.get(key)
    if (session?.worker === undefined) return false
    const silentMs = this.#partition.now().tickMs - session.lastSeenTickMs
    return silentMs >= state.options.workerDeadMs
  }

  /** Answers a parked claim empty; false if there is none under this id. */
  abort(conversation: Conversation, requestId: number): boolean {
    const parked = this.#parking.unpark(conversation, requestId)
    if (parked !== undefined) this.#answerEmpty(conversation, requestId)
    return parked !== undefined
  }

  leave(conversation: Conversation): void {
    this.#parking.leave(conversation)
  }

  /** The broker stops: whoever waits gets an empty answer. */
  close(): void {
    for (const { conversation, requestId } of this.#parking.all()) {
      this.abort(conversation, requestId)
    }
  }

  /** Leases what is ready. False if nothing is: the claim may be parked. */
  #grant(
    conversation: Conversation,
    id: number,
    request: ClaimRequest,
    by: 'asked' | 'retried' = 'asked',
  ): boolean {
    const { session, principal } = conversation
    const decision = this.#partition.step<'claim'>(
      {
        kind: 'claim',
        request,
        session: { id: session, principal },
        payloadBytesMax: limits.CLAIM_REPLY_BYTES_MAX,
        isRetried: by === 'retried',
      },
      principal,
    )
    if (decision instanceof Refusal) {
      this.#partition.commits.whenDurable(() =>
        conversation.refuse(id, decision.code, decision.message, decision.details),
      )
      return true
    }
    if (decision.claimed.length === 0) return false
    this.#deliver(conversation, id, decision.claimed)
    return true
  }

  /** Answers when the leases are durable and all payloads are at hand. */
  #deliver(conversation: Conversation, id: number, claimed: readonly Claimed[]): void {
    const records = claimed.map(({ task }) => this.#cached(task))
    const missing = claimed.filter((_, index) => records[index] === undefined)
    if (missing.length === 0) {
      this.#partition.commits.whenDurable((lsn) =>
        this.#answer({ conversation, id, lsn }, claimed, records as PayloadRecord[]),
      )
      return
    }
    const committed = new Promise<number>((resolve) => {
      this.#partition.commits.whenDurable(resolve)
    })
    // What the cache lends is good for one commit; a read from disk may take longer.
    const kept = records.map(
      (record) => record && { ...record, payload: new Uint8Array(record.payload) },
    )
    void Promise.all([this.#read(missing), committed]).then(
      ([read, lsn]) => {
        const all = kept.map((record, index) => record ?? read.get(claimed[index] as Claimed))
        this.#answerReadable({ conversation, id, lsn }, claimed, all)
      },
      () => this.#unreadableStore(conversation, id),
    )
  }

  #cached(task: number): PayloadRecord | undefined {
    const record = this.#partition.cache.get(this.#partition.state.tasks.payloadPosition(task))
    return record === undefined ? undefined : readPayloadRecord(record)
  }

  async #read(missing: readonly Claimed[]): Promise<Map<Claimed, PayloadRecord>> {
    const records = await this.#partition.lookup.payloads(missing.map(({ id }) => id))
    const found = new Map<Claimed, PayloadRecord>()
    for (const [index, claimed] of missing.entries()) {
      const record = records[index]
      if (record !== undefined) found.set(claimed, record)
    }
    return found
  }

  /** Tasks whose payload cannot be read are set aside; they are never delivered empty. */
  #answerReadable(
    to: { readonly conversation: Conversation; readonly id: number; readonly lsn: number },
    claimed: readonly Claimed[],
    records: readonly (PayloadRecord | undefined)[],
  ): void {
    const unreadable = claimed.filter((_, index) => records[index] === undefined)
    if (unreadable.length === 0) {
      this.#answer(to, claimed, records as PayloadRecord[])
      return
    }
    this.#partition.step<'quarantine'>({ kind: 'quarantine', tasks: unreadable }, 'broker')
    const readable = claimed.filter((_, index) => records[index] !== undefined)
    const found = records.filter((record) => record !== undefined)
    this.#partition.commits.whenDurable((lsn) => this.#answer({ ...to, lsn }, readable, found))
  }

  #answer(
    to: { readonly conversation: Conversation; readonly id: number; readonly lsn: number },
    claimed: readonly Claimed[],
    records: readonly PayloadRecord[],
  ): void {
    const { tickMs } = this.#partition.now()
    let leaseMs = Infinity
    const tasks = claimed.map((one, index): ClaimedTask => {
      leaseMs = Math.min(leaseMs, one.endTickMs - tickMs)
      const { meta, payload } = records[index] as PayloadRecord
      const { id, token, queue, type, attempt } = one
      return [id, token, queue, type, attempt, payload, extraOf(one, meta)]
    })
    const reply = { tasks, leaseMs: tasks.length === 0 ? 0 : Math.max(0, leaseMs) }
    to.conversation.reply(to.id, reply, to.lsn)
  }

  #answerEmpty(conversation: Conversation, id: number): void {
    this.#partition.commits.whenDurable((lsn) =>
      conversation.reply(id, { tasks: [], leaseMs: 0 }, lsn),
    )
  }

  #unreadableStore(conversation: Conversation, id: number): void {
    const text = 'the store could not be read; the leases come back by themselves'
    conversation.refuse(id, 'UNAVAILABLE', text, { retryAfterMs: 1_000 })
  }
}

function extraOf(claimed: Claimed, meta: PayloadRecord['meta']): ClaimedExtra {
  const { priority, timeoutMs, failures, losses, cancelRequested } = claimed
  return {
    timeoutMs,
    ...(priority === DEFAULT_PRIORITY ? {} : { priority }),
    ...(failures === 0 ? {} : { failures }),
    ...(losses === 0 ? {} : { losses }),
    ...(cancelRequested ? { cancelRequested } : {}),
    ...(meta.headers === undefined ? {} : { headers: meta.headers }),
    ...(meta.trace === undefined ? {} : { trace: meta.trace }),
  }
}
