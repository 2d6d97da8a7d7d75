// Claims that wait for work: first come, first served, until their deadline.

import type { ClaimRequest, Scheduler, Timer } from '@tq/core'
import type { Queue } from '../engine/queue.ts'
import type { Conversation } from './conversation.ts'
import { type Line, QueueLines } from './queue-lines.ts'

export interface ParkedClaim {
  readonly conversation: Conversation
  readonly requestId: number
  readonly request: ClaimRequest
}

interface Entry extends ParkedClaim {
  /** Grows with each claim that comes. */
  number: number
  timer: Timer | undefined
}

export class Parking {
  readonly #scheduler: Scheduler
  readonly #byQueue = new Map<string, QueueLines<Entry>>()
  readonly #byConversation = new Map<Conversation, Map<number, Entry>>()
  /** By session, and by the number that it gave the claim. */
  readonly #bySession = new Map<string, Map<number, Entry>>()
  #size = 0
  #lastNumber = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  get size(): number {
    return this.#size
  }

  countOn(queue: string): number {
    return this.#byQueue.get(queue)?.count ?? 0
  }

  /** Parks a claim until work is ready, it is taken out, or its time has passed. */
  park(claim: ParkedClaim, onDeadline: () => void): void {
    const entry: Entry = { ...claim, number: 0, timer: undefined }
    this.#lineUp(entry)
    const own = this.#byConversation.get(claim.conversation)
    if (own === undefined) {
      this.#byConversation.set(claim.conversation, new Map([[claim.requestId, entry]]))
    } else {
      own.set(claim.requestId, entry)
    }
    const { sessionKey } = claim.conversation
    const ofSession = this.#bySession.get(sessionKey)
    if (ofSession === undefined) {
      this.#bySession.set(sessionKey, new Map([[claim.request.claim, entry]]))
    } else {
      ofSession.set(claim.request.claim, entry)
    }
    this.#size += 1
    entry.timer = this.#scheduler.after(claim.request.waitMs, () => {
      this.#remove(entry)
      onDeadline()
    })
  }

  /**
   * The lines on a queue, in no order.
   * @param kindOf Claims of the same kind may take the same tasks of the queue.
   */
  linesOn(queue: Queue, kindOf: (claim: ParkedClaim) => string): Line<ParkedClaim>[] {
    return this.#byQueue.get(queue.name)?.lines(queue, kindOf) ?? []
  }

  /** The claims of a session are of another kind now. They go to the end of their new lines. */
  regroup(sessionKey: string): ParkedClaim[] {
    const entries = [...(this.#bySession.get(sessionKey)?.values() ?? [])]
    for (const entry of entries) {
      this.#stepOut(entry)
      this.#lineUp(entry)
    }
    return entries
  }

  all(): ParkedClaim[] {
    return [...this.#byConversation.values()].flatMap((own) => [...own.values()])
  }

  /** Takes a claim out; undefined if it is not parked (any more). */
  unpark(conversation: Conversation, requestId: number): ParkedClaim | undefined {
    const entry = this.#byConversation.get(conversation)?.get(requestId)
    if (entry !== undefined) this.#remove(entry)
    return entry
  }

  /** A connection is gone: nobody would hear the answers. */
  leave(conversation: Conversation): void {
    for (const entry of [...(this.#byConversation.get(conversation)?.values() ?? [])]) {
      this.#remove(entry)
    }
  }

  /** The parked claim with this number in this session: the one that a re-sent claim replaces. */
  find(sessionKey: string, claim: number): ParkedClaim | undefined {
    return this.#bySession.get(sessionKey)?.get(claim)
  }

  #remove(entry: Entry): void {
    const { conversation, request, requestId } = entry
    entry.timer?.cancel()
    this.#stepOut(entry)
    const own = this.#byConversation.get(conversation)
    if (own?.delete(requestId) !== true) return
    this.#size -= 1
    if (own.size === 0) this.#byConversation.delete(conversation)
    const ofSession = this.#bySession.get(conversation.sessionKey)
    ofSession?.delete(request.claim)
    if (ofSession?.size === 0) this.#bySession.delete(conversation.sessionKey)
  }

  #lineUp(entry: Entry): void {
    this.#lastNumber += 1
    entry.number = this.#lastNumber
    for (const queue of new Set(entry.request.queues)) {
      const lines = this.#byQueue.get(queue) ?? new QueueLines<Entry>()
      this.#byQueue.set(queue, lines)
      lines.add(entry)
    }
  }

  #stepOut(entry: Entry): void {
    for (const queue of new Set(entry.request.queues)) {
      const lines = this.#byQueue.get(queue)
      if (lines?.delete(entry) === true && lines.count === 0) this.#byQueue.delete(queue)
    }
  }
}
