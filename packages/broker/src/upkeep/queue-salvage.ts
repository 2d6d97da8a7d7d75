// Queues of a damaged store: those that can be read, and for tasks whose queue is lost, new ones.

import { slotOfQueue, slotOfTaskId } from '@tq/core'
import type { Profile } from '../engine/profile.ts'
import { DEFAULT_QUEUE_SETTINGS, Queue } from '../engine/queue.ts'
import { familyRange, queueKey, taskIdOfKey } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import { encodeQueue } from '../storage/registry-record.ts'
import { isSealed } from '../storage/sealed.ts'
import type { Survey } from './survey.ts'

export class QueueSalvage {
  readonly #survey: Survey
  readonly #remade: Queue[] = []

  constructor(survey: Survey) {
    this.#survey = survey
  }

  get lastNumber(): number {
    return Math.max(0, ...this.#survey.queues.keys())
  }

  /** Resolves the profile of a task; its queue is made anew if it is lost. */
  profileOf(key: Uint8Array): (text: string) => Profile | undefined {
    return (text) => {
      const { q: number } = JSON.parse(text) as { readonly q: number }
      if (!this.#survey.queues.has(number)) this.#remake(number, slotOfTaskId(taskIdOfKey(key)))
      return this.#survey.profileOf(text)
    }
  }

  async records(): Promise<readonly Entry[]> {
    const entries: Entry[] = []
    const remade = new Set(this.#remade.map(({ slot, number }) => nameOf(queueKey(slot, number))))
    for await (const [key, value] of this.#survey.reader.entries(familyRange('queue'))) {
      if (isSealed(key, value) && !remade.has(nameOf(key))) entries.push([key, value])
    }
    for (const queue of this.#remade) {
      const key = queueKey(queue.slot, queue.number)
      entries.push([key, encodeQueue(key, queue)])
    }
    return entries
  }

  /** Paused: a person shall look at it before its tasks run under settings that are not its own. */
  #remake(number: number, slot: number): void {
    const queue = new Queue(number, nameInSlot(number, slot), DEFAULT_QUEUE_SETTINGS)
    queue.paused = true
    queue.pauseReason = 'salvaged: its record, with name and settings, is lost'
    this.#remade.push(queue)
    this.#survey.queues.set(number, queue)
    const text = `queue number ${number} has lost its record; its tasks are in "${queue.name}", which is paused`
    this.#survey.findings.add('remade', text, queueKey(slot, number))
  }
}

/** The slot is part of the ids of all tasks of a queue, so its new name must have the same. */
function nameInSlot(number: number, slot: number): string {
  for (let suffix = 0; ; suffix += 1) {
    const name = `salvaged-${number}-${suffix}`
    if (slotOfQueue(name) === slot) return name
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('hex')
}
