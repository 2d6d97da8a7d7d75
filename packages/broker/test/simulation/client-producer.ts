// A producer process with the real TqClient in it: enqueues until it knows, waits for results, looks around.

import { OpaqueBytes, TaskFailedError, TqClient, TqError, type EnqueueOptions } from '@tq/client'
import type { Chronicle } from './chronicle.ts'
import { ClientProcess } from './client-process.ts'
import type { LinkParts } from './link.ts'
import type { SeededRandom } from './seeded-random.ts'

interface Intent {
  readonly queue: string
  readonly id: string
  readonly bytes: Uint8Array
  readonly options: EnqueueOptions
}

/** What a client may be told without anybody having done wrong. */
const TO_BE_EXPECTED: ReadonlySet<string> = new Set([
  'CONFLICT',
  'NOT_FOUND',
  'NO_SPACE',
  'OUTCOME_UNKNOWN',
  'RESOURCE_EXHAUSTED',
  'TIMEOUT',
  'UNAVAILABLE',
])
/** After these the task is there, or is not, and asking again tells which. */
const UNKNOWN: ReadonlySet<string> = new Set([
  'NO_SPACE',
  'RESOURCE_EXHAUSTED',
  'TIMEOUT',
  'UNAVAILABLE',
])
const ASKING_MAX = 6

export class ClientProducer {
  readonly #parts: LinkParts
  readonly #chronicle: Chronicle
  readonly #name: string
  readonly #seed: number
  readonly #random: SeededRandom
  #process: ClientProcess
  #client: TqClient
  /** Tasks of which it is not known whether they were taken. They outlive the process, as on a disk. */
  #pending: Intent[] = []
  readonly #open = new Set<Intent>()
  #asking = 0
  #isCalm = false
  #life = 0

  constructor(
    parts: LinkParts,
    chronicle: Chronicle,
    who: { readonly name: string; readonly seed: number },
  ) {
    this.#parts = parts
    this.#chronicle = chronicle
    this.#name = who.name
    this.#seed = who.seed
    this.#random = parts.random
    ;[this.#process, this.#client] = this.#make()
  }

  get isDone(): boolean {
    return this.#pending.length === 0 && this.#asking === 0
  }

  start(): void {
    this.#thinkThenAct()
  }

  calm(): void {
    this.#isCalm = true
  }

  #make(): [ClientProcess, TqClient] {
    this.#life += 1
    this.#asking = 0
    const process = new ClientProcess(this.#parts, `${this.#name}.${this.#life}`, this.#seed)
    const reconnect = { baseMs: 10, capMs: 500 }
    return [process, new TqClient({ ...process.options, reconnect })]
  }

  #thinkThenAct(): void {
    const { world, swarm } = this.#parts
    const thinkMs = this.#isCalm ? 20 : 2 * this.#random.chance() * swarm.producers.thinkMs
    world.after(thinkMs, () => {
      this.#act()
      this.#thinkThenAct()
    })
  }

  #act(): void {
    const { workers, producers } = this.#parts.swarm
    if (!this.#isCalm && this.#random.happens(workers.restartChance)) return this.#restart()
    if (this.#asking >= ASKING_MAX) return
    const again = this.#pending.shift()
    if (again !== undefined) return this.#enqueue(again)
    if (this.#isCalm) return
    if (this.#chronicle.live.live.size < producers.liveMax) this.#enqueue(this.#makeIntent())
    else this.#look()
  }

  #restart(): void {
    const [process, client] = [this.#process, this.#client]
    if (this.#random.happens(0.5)) process.kill()
    else void client.close({ deadlineMs: 200 })
    // What it had asked and not heard, its next life asks again.
    for (const intent of this.#open) this.#pending.push(intent)
    this.#open.clear()
    ;[this.#process, this.#client] = this.#make()
  }

  #makeIntent(): Intent {
    const { queues, producers } = this.#parts.swarm
    const random = this.#random
    const queue = random.pick(queues)
    const options: EnqueueOptions = {
      ...(random.happens(0.5) ? { priority: random.between(120, 136) } : {}),
      ...(random.happens(producers.delayChance) ? { delayMs: random.between(1, 2_000) } : {}),
      ...(random.happens(producers.ttlChance) ? { ttlMs: random.between(50, 3_000) } : {}),
    }
    const bytes = random.bytes(random.between(0, 40))
    return { queue, id: this.#client.newTaskId(queue), bytes, options }
  }

  #enqueue(intent: Intent): void {
    const { queue, id, bytes, options } = intent
    const life = this.#life
    this.#open.add(intent)
    const asked = this.#client.enqueue(queue, 'send', new OpaqueBytes(bytes), { ...options, id })
    this.#follow(
      asked.then((handle) => {
        if (life !== this.#life) return
        this.#open.delete(intent)
        this.#chronicle.promised([handle.id.replaceAll('-', '')])
        if (!this.#isCalm && this.#random.happens(0.2)) this.#waitFor(handle)
      }),
      (error) => {
        if (life !== this.#life) return
        this.#open.delete(intent)
        if (UNKNOWN.has(error.code)) this.#pending.push(intent)
      },
    )
  }

  #waitFor(handle: Awaited<ReturnType<TqClient['enqueue']>>): void {
    const result = handle.resultBytes({ timeoutMs: 2_000 })
    const heard = result.then(
      () => this.#parts.trace.reach('a client heard of its result'),
      (error: unknown) => {
        if (!(error instanceof TaskFailedError)) throw error
      },
    )
    this.#follow(heard, () => undefined)
  }

  /** Reads and operators' verbs through the client, to see that its answers can be read. */
  #look(): void {
    const { queues } = this.#parts.swarm
    const queue = this.#random.pick(queues)
    const looks: readonly (() => Promise<unknown>)[] = [
      () => this.#client.stats(queue),
      () => this.#client.list({ queue, limit: 5 }),
      () => this.#client.workers(),
      () => this.#client.ping(),
    ]
    this.#follow(this.#random.pick(looks)(), () => undefined)
  }

  /** Hears how a call of this life ends; a refusal that nobody can explain is a broken law. */
  #follow(call: Promise<unknown>, failed: (error: TqError) => void): void {
    const life = this.#life
    this.#asking += 1
    const over = (): void => {
      if (life === this.#life) this.#asking -= 1
    }
    call.then(over, (error: unknown) => {
      over()
      const isKnown = error instanceof TqError && TO_BE_EXPECTED.has(error.code)
      this.#parts.trace.law(isKnown, `the client is told what can happen, not ${String(error)}`)
      if (error instanceof TqError) failed(error)
    })
  }
}
