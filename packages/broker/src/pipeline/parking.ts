// Claims that wait for work: first come, first served, until their deadline.

import type { ClaimRequest, Scheduler, Timer } from '@tq/core'
import type { Conversation } from './conversation.ts'

export interface ParkedClaim {
  readonly conversation: Conversation
  readonly requestId: number
  readonly request: ClaimRequest
}

interface Entry extends ParkedClaim {
  timer: Timer | undefined
}

export class Parking {
  readonly #scheduler: Scheduler
  readonly #byQueue = new Map<string, Set<Entry>>()
  readonly #byConversation = new Map<Conversation, Map<number, Entry>>()
  readonly #bySession = new Map<string, Entry>()
  #size = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  get size(): number {
    return this.#size
  }

  countOn(queue: string): number {
    return this.#byQueue.get(queue)?.size ?? 0
  }

  /** Parks a claim until work is ready, it is taken out, or its time has passed. */
  park(claim: ParkedClaim, onDeadline: () => void): void {
    const entry: Entry = { ...claim, timer: undefined }
    for (const queue of claim.request.queues) {
      const entries = this.#byQueue.get(queue)
      if (entries === undefined) this.#byQueue.set(queue, new Set([entry]))
      else entries.add(entry)
    }
    const own = this.#byConversation.get(claim.conversation)
    if (own === undefined) {
      this.#byConversation.set(claim.conversation, new Map([[claim.requestId, entry]]))
    } else {
      own.set(claim.requestId, entry)
    }
    this.#bySession.set(nameOf(claim.conversation.sessionKey, claim.request.claim), entry)
    this.#size += 1
    entry.timer = this.#scheduler.after(claim.request.waitMs, () => {
      this.#remove(entry)
      onDeadline()
    })
  }

  /** The claims on a queue, in the order in which they came. */
  on(queue: string): ParkedClaim[] {
    return [...(this.#byQueue.get(queue) ?? [])]
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
    return this.#bySession.get(nameOf(sessionKey, claim))
  }

  #remove(entry: Entry): void {
    entry.timer?.cancel()
    for (const queue of entry.request.queues) {
      const entries = this.#byQueue.get(queue)
      entries?.delete(entry)
      if (entries?.size === 0) this.#byQueue.delete(queue)
    }
    const own = this.#byConversation.get(entry.conversation)
    if (own?.delete(entry.requestId) !== true) return
    this.#size -= 1
    this.#bySession.delete(nameOf(entry.conversation.sessionKey, entry.request.claim))
    if (own.size === 0) this.#byConversation.delete(entry.conversation)
  }
}

function nameOf(sessionKey: string, claim: number): string {
  return `${sessionKey} ${claim}`
}
