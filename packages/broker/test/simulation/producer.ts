// A producer: makes tasks, sends them until it knows what became of them, and sometimes once more.

import {
  type EnqueueRequest,
  type ReplyOf,
  slotOfQueue,
  TaskIdMaker,
  type TaskOptions,
  type TaskSpec,
} from '@tq/core'
import type { Chronicle } from './chronicle.ts'
import { hexOf, shortOf } from './heard.ts'
import { type Answer, Link, type LinkParts } from './link.ts'
import type { SeededRandom } from './seeded-random.ts'

interface Intent {
  readonly queue: string
  readonly tasks: readonly TaskSpec[]
  readonly firstSentAtMs: number
}

/** What a producer keeps of acknowledged requests, to send one again. */
const REMEMBERED_MAX = 50
const KEYS = 12

export class Producer {
  readonly #parts: LinkParts
  readonly #chronicle: Chronicle
  readonly #name: string
  readonly #random: SeededRandom
  readonly #link: Link
  readonly #ids: TaskIdMaker
  /** Requests of which it is not known what became of them. */
  #pending: Intent[] = []
  #acknowledged: Intent[] = []
  #outstanding = 0
  #isCalm = false

  constructor(parts: LinkParts, chronicle: Chronicle, name: string) {
    const { random, world } = parts
    this.#parts = parts
    this.#chronicle = chronicle
    this.#name = name
    this.#random = random
    this.#link = new Link(parts, { name, session: random.bytes(16), onUp: () => undefined })
    this.#ids = new TaskIdMaker({
      wallMs: () => world.wallMs(),
      fillRandom: (bytes) => random.fill(bytes),
    })
  }

  get link(): Link {
    return this.#link
  }

  /** Nothing is left of which it does not know what became. */
  get isDone(): boolean {
    return this.#outstanding === 0 && this.#pending.length === 0
  }

  start(): void {
    this.#link.start()
    this.#thinkThenAct()
  }

  /** Makes nothing new; only finds out what became of the rest. */
  calm(): void {
    this.#isCalm = true
  }

  #thinkThenAct(): void {
    const { world, swarm } = this.#parts
    const thinkMs = this.#isCalm ? 30 : 2 * this.#random.chance() * swarm.producers.thinkMs
    world.after(thinkMs, () => {
      this.#act()
      this.#thinkThenAct()
    })
  }

  #act(): void {
    const { swarm } = this.#parts
    if (!this.#link.isUp || this.#outstanding >= 4) return
    const again = this.#pending.shift()
    if (again !== undefined) {
      this.#send(again, false)
      return
    }
    if (this.#isCalm) return
    const [known] = this.#acknowledged
    if (known !== undefined && this.#random.happens(swarm.producers.resendChance)) {
      this.#send(this.#random.pick(this.#acknowledged), false)
      return
    }
    if (this.#liveCount() < swarm.producers.liveMax) this.#send(this.#make(), true)
  }

  #liveCount(): number {
    return this.#chronicle.live.live.size
  }

  #send(intent: Intent, fresh: boolean): void {
    const { world, trace } = this.#parts
    const { queue, tasks, firstSentAtMs } = intent
    const sentAgoMs = Math.ceil(world.nowMs - firstSentAtMs)
    const request: EnqueueRequest = {
      verb: 'enqueue',
      queue,
      tasks,
      fresh,
      ...(fresh ? {} : { sentAgoMs }),
    }
    const ids = tasks.map(({ id }) => (id === undefined ? '?' : shortOf(hexOf(id))))
    trace.note(this.#name, `sends ${ids.join(' ')} to ${queue}${fresh ? '' : ' again'}`)
    this.#outstanding += 1
    this.#link.send(request, (answer) => {
      this.#outstanding -= 1
      this.#hear(intent, answer)
    })
  }

  #hear(intent: Intent, answer: Answer): void {
    switch (answer.kind) {
      case 'lost':
        // Without ids of its own a request that is sent again would be another one.
        if (intent.tasks.every(({ id }) => id !== undefined)) this.#pending.push(intent)
        return
      case 'refusal':
        if (answer.error.retryable) this.#pending.push(intent)
        return
      default:
        this.#acknowledge(intent, answer.result as ReplyOf<'enqueue'>)
    }
  }

  #acknowledge(intent: Intent, reply: ReplyOf<'enqueue'>): void {
    const ids = intent.tasks.map(({ id }, index) => reply.ids?.[index] ?? id)
    this.#chronicle.promised(ids.map((id) => (id === undefined ? '' : hexOf(id))))
    if (intent.tasks.some(({ id }) => id === undefined)) return
    this.#acknowledged.push(intent)
    if (this.#acknowledged.length > REMEMBERED_MAX) this.#acknowledged.shift()
  }

  #make(): Intent {
    const { swarm, world } = this.#parts
    const queue = this.#random.pick(swarm.queues)
    const slot = slotOfQueue(queue)
    const count = this.#random.between(1, swarm.producers.batchMax)
    const tasks: TaskSpec[] = []
    for (let made = 0; made < count; made += 1) {
      const key = this.#random.happens(swarm.producers.keyChance)
        ? `key-${this.#random.between(1, KEYS)}`
        : undefined
      const isNameless = key !== undefined && count === 1 && this.#random.happens(0.2)
      tasks.push({
        id: isNameless ? undefined : this.#ids.make(slot),
        ...this.#body(key),
      })
    }
    const keyed = tasks.filter(({ options }) => options?.idempotencyKey !== undefined)
    this.#chronicle.batch(tasks.map(nameOf), keyed.map(nameOf))
    return { queue, tasks, firstSentAtMs: world.nowMs }
  }

  /** The same key comes with the same request, but for a producer that is mistaken. */
  #body(key: string | undefined): Omit<TaskSpec, 'id'> {
    if (key === undefined) {
      const options = this.#options()
      return { type: this.#random.pick(['send', 'resize']), payload: this.#payload(), options }
    }
    const isMistaken = this.#random.happens(0.05)
    const payload = Buffer.from(isMistaken ? `${key}, mistaken` : key)
    return { type: 'send', payload, options: { idempotencyKey: key } }
  }

  #payload(): Uint8Array {
    const { bigPayloadChance } = this.#parts.swarm.producers
    if (!this.#random.happens(bigPayloadChance)) {
      return this.#random.bytes(this.#random.between(0, 40))
    }
    const big = new Uint8Array(this.#random.between(100_000, 700_000))
    big.fill(this.#random.between(0, 255))
    return big
  }

  #options(): TaskOptions | undefined {
    const { producers } = this.#parts.swarm
    const random = this.#random
    const options: TaskOptions = {
      ...(random.happens(0.5) ? { priority: random.between(120, 136) } : {}),
      ...(random.happens(producers.delayChance) ? this.#delay() : {}),
      ...(random.happens(producers.ttlChance) ? { ttlMs: random.between(50, 3_000) } : {}),
      ...(random.happens(producers.requiresChance) ? { requires: { gpu: true } } : {}),
      ...(random.happens(0.05) ? { maxAttempts: 1 } : {}),
      ...(random.happens(0.05) ? { maxLost: 1 } : {}),
    }
    return Object.keys(options).length === 0 ? undefined : options
  }

  #delay(): TaskOptions {
    const delayMs = this.#random.between(1, 2_000)
    return this.#random.happens(0.5)
      ? { delayMs }
      : { runAtMs: this.#parts.world.wallMs() + delayMs }
  }
}

function nameOf({ id }: TaskSpec): string {
  return id === undefined ? '' : hexOf(id)
}
