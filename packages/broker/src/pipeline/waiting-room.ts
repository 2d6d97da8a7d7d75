// Requests that wait for a task to end.

import type { Scheduler, Timer } from '@tq/core'
import type { Conversation } from './conversation.ts'

export interface Waiting {
  readonly conversation: Conversation
  readonly requestId: number
  /** Hex text of the task's id. */
  readonly task: string
}

interface Entry extends Waiting {
  timer: Timer | undefined
}

export class WaitingRoom {
  readonly #scheduler: Scheduler
  readonly #byTask = new Map<string, Set<Entry>>()
  readonly #byConversation = new Map<Conversation, Map<number, Entry>>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  get isEmpty(): boolean {
    return this.#byTask.size === 0
  }

  add(waiting: Waiting, waitMs: number, onDeadline: () => void): void {
    const entry: Entry = { ...waiting, timer: undefined }
    const entries = this.#byTask.get(waiting.task)
    if (entries === undefined) this.#byTask.set(waiting.task, new Set([entry]))
    else entries.add(entry)
    const own = this.#byConversation.get(waiting.conversation) ?? new Map<number, Entry>()
    own.set(waiting.requestId, entry)
    this.#byConversation.set(waiting.conversation, own)
    entry.timer = this.#scheduler.after(waitMs, () => {
      this.#remove(entry)
      onDeadline()
    })
  }

  /** Takes out all who wait for this task. */
  take(task: string): Waiting[] {
    const entries = [...(this.#byTask.get(task) ?? [])]
    for (const entry of entries) this.#remove(entry)
    return entries
  }

  abort(conversation: Conversation, requestId: number): Waiting | undefined {
    const entry = this.#byConversation.get(conversation)?.get(requestId)
    if (entry !== undefined) this.#remove(entry)
    return entry
  }

  all(): Waiting[] {
    return [...this.#byConversation.values()].flatMap((own) => [...own.values()])
  }

  leave(conversation: Conversation): void {
    for (const entry of [...(this.#byConversation.get(conversation)?.values() ?? [])]) {
      this.#remove(entry)
    }
  }

  #remove(entry: Entry): void {
    entry.timer?.cancel()
    const entries = this.#byTask.get(entry.task)
    entries?.delete(entry)
    if (entries?.size === 0) this.#byTask.delete(entry.task)
    const own = this.#byConversation.get(entry.conversation)
    own?.delete(entry.requestId)
    if (own?.size === 0) this.#byConversation.delete(entry.conversation)
  }
}
