// An operator: looks at everything, cancels, redrives, re-prioritises, pauses, purges, changes queues.

import { type QueueSettings, type ReplyOf, type Request } from '@tq/core'
import type { Chronicle } from './chronicle.ts'
import { bytesOf } from './heard.ts'
import { type Answer, Link, type LinkParts } from './link.ts'
import type { ModelTask } from './model-task.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Live tasks for which a queue must have room so that every producer comes to an end. */
const ROOM_ENOUGH = 1_000

export class Operator {
  readonly #parts: LinkParts
  readonly #chronicle: Chronicle
  readonly #name: string
  readonly #random: SeededRandom
  readonly #link: Link
  #purge: { readonly queue: string; readonly cursor: string } | undefined
  /** Cursor of the backup under way. */
  #backup: string | undefined
  #isCalm = false

  constructor(parts: LinkParts, chronicle: Chronicle, name: string) {
    this.#parts = parts
    this.#chronicle = chronicle
    this.#name = name
    this.#random = parts.random
    this.#link = new Link(parts, { name, session: parts.random.bytes(16), onUp: () => undefined })
  }

  get link(): Link {
    return this.#link
  }

  start(): void {
    this.#link.start()
    this.#thinkThenAct()
  }

  /** Undoes what would keep tasks from running, and does nothing else. */
  calm(): void {
    this.#isCalm = true
  }

  #thinkThenAct(): void {
    const { world, swarm } = this.#parts
    const thinkMs = this.#isCalm ? 100 : 2 * this.#random.chance() * swarm.operators.thinkMs
    world.after(thinkMs, () => {
      this.#act()
      this.#thinkThenAct()
    })
  }

  #act(): void {
    if (!this.#link.isUp || this.#link.outstandingCount >= 4) return
    const request = this.#isCalm ? this.#calmRequest() : this.#nextRequest()
    if (request === undefined) return
    this.#parts.trace.note(this.#name, `sends ${request.verb}`)
    this.#link.send(request, (answer) => {
      if (request.verb === 'backup') this.#hearBackup(answer)
      if (request.verb !== 'queue-purge' || answer.kind !== 'reply') return
      const { cursor } = answer.result as ReplyOf<'queue-purge'>
      this.#purge = cursor === null ? undefined : { queue: request.queue, cursor }
    })
  }

  #hearBackup(answer: Answer): void {
    if (answer.kind !== 'reply') {
      this.#backup = undefined
      return
    }
    const { cursor } = answer.result as ReplyOf<'backup'>
    this.#backup = cursor ?? undefined
    if (cursor === null) this.#parts.trace.reach('a backup was complete')
  }

  #calmRequest(): Request | undefined {
    for (const { name, paused, settings } of this.#chronicle.live.queues.values()) {
      if (paused) return { verb: 'queue-resume', queue: name }
      if (settings.tasksMax >= ROOM_ENOUGH) continue
      return { verb: 'queue-set', queue: name, settings: { tasksMax: ROOM_ENOUGH } }
    }
    return undefined
  }

  #nextRequest(): Request | undefined {
    const { operators, queues } = this.#parts.swarm
    const random = this.#random
    if (!operators.acts) return undefined
    if (this.#purge !== undefined) return { verb: 'queue-purge', ...this.#purge }
    const queue = random.pick(queues)
    const dice = random.chance()
    if (dice < 0.3) return this.#overTasks()
    if (dice < 0.55) return this.#look(queue)
    if (dice < 0.65) return { verb: 'stats', ...(random.happens(0.5) ? { queue } : {}) }
    if (dice < 0.7) return { verb: 'workers' }
    if (dice < 0.73) return { verb: 'startup-log' }
    if (dice < 0.74) return { verb: 'ping' }
    if (dice < 0.76 || this.#backup !== undefined) {
      return { verb: 'backup', ...(this.#backup === undefined ? {} : { cursor: this.#backup }) }
    }
    if (dice < 0.85 && operators.pauses) {
      const verb = random.happens(0.4) ? 'queue-pause' : 'queue-resume'
      return { verb, queue }
    }
    if (dice < 0.87 && operators.purges) return { verb: 'queue-purge', queue }
    if (dice < 0.95 && operators.changesQueues) {
      return { verb: 'queue-set', queue, settings: this.#settings() }
    }
    return undefined
  }

  #overTasks(): Request | undefined {
    const random = this.#random
    const dice = random.chance()
    const wanted = dice < 0.3 ? (task: ModelTask) => task.end !== undefined && task.kept : isLive
    const ids = this.#someTasks(wanted)
    if (ids.length === 0) return undefined
    if (dice < 0.3) return { verb: 'redrive', ids }
    if (dice < 0.7) return { verb: 'set-priority', ids, priority: random.between(120, 136) }
    return { verb: 'cancel', ids, ...(random.happens(0.5) ? { reason: 'not wanted' } : {}) }
  }

  #someTasks(isWanted: (task: ModelTask) => boolean): Uint8Array[] {
    const { live } = this.#chronicle
    const wanted = [...(isWanted === isLive ? live.live : live.tasks).values()].filter(isWanted)
    if (wanted.length === 0) return []
    const count = this.#random.between(1, 3)
    const ids = new Set<string>()
    for (let index = 0; index < count; index += 1) ids.add(this.#random.pick(wanted).id)
    return [...ids].map(bytesOf)
  }

  #look(queue: string): Request | undefined {
    const random = this.#random
    if (random.happens(0.3)) {
      return {
        verb: 'list',
        limit: random.pick([1, 5, 100]),
        ...(random.happens(0.5) ? { queue } : {}),
        ...(random.happens(0.3)
          ? { state: random.pick(['queued', 'completed', 'dead'] as const) }
          : {}),
      }
    }
    const [id] = this.#someTasks(random.happens(0.7) ? isLive : () => true)
    if (id === undefined) return undefined
    if (random.happens(0.5)) return { verb: 'get', id, payload: random.happens(0.5) }
    return { verb: 'wait', id, waitMs: random.pick([0, 50, 1_000]) }
  }

  #settings(): Partial<QueueSettings> {
    const random = this.#random
    const settings: readonly Partial<QueueSettings>[] = [
      { retentionMs: random.pick([0, 500, 86_400_000]) },
      { retentionCount: random.pick([0, 1, 10, 100_000]) },
      { deadRetentionMs: random.pick([0, 500, 86_400_000]) },
      { deadRetentionCount: random.pick([0, 1, 10, 100_000]) },
      { order: random.pick(['aging', 'strict'] as const) },
      { agingMsPerLevel: random.pick([0, 10, 1_000]) },
      { maxAttempts: random.between(1, 5), maxLost: random.between(1, 4) },
      { tasksMax: random.pick([10, ROOM_ENOUGH]) },
    ]
    return random.pick(settings)
  }
}

function isLive(task: ModelTask): boolean {
  return task.end === undefined
}
