// One fault of the line, from its beginning until all is well again: what workers, a producer and a
// client with an old token may do meanwhile, and what they may not.

import { randomBytes } from 'node:crypto'
import { TqClient } from '@tq/client'
import { eventually } from '../end-to-end/eventually.ts'
import { aTask } from '../end-to-end/task-spec.ts'
import { type Held, heldOf, refusalOf, WireClient } from '../end-to-end/wire-client.ts'
import type { RigAddress, RigBroker } from '../rig-broker.ts'
import { LineProxy, WHOLE } from './line-proxy.ts'
import type { PartitionCase } from './partition-case.ts'
import { Starvation } from './starvation.ts'
import { type Deed, Workplace } from './workplace.ts'

export const LEASE_MS = 2_000
/** What a broker of these stories is told, so that minutes become seconds. */
export const STORY_FLAGS: readonly string[] = [
  '--workers-heartbeat-ms=400',
  `--workers-dead-ms=${LEASE_MS}`,
]
/** After the end of a lease, and for a machine that has other things to do. */
const SLACK_MS = 2_500
/** Until everybody is back at work after a fault. */
const BACK_MS = 10_000
const PRODUCED = 5
/** What becomes of a task whose worker is cut off. */
const HAND_OVER = 'behind begun, behind stopped, free begun'

export interface StoryOptions {
  readonly broker: RigBroker
  readonly partition: PartitionCase
  /** How long the fault lasts, in ms, at least. */
  readonly holdMs: number
}

/** @returns What was not as it should be. */
export async function playPartition(options: StoryOptions): Promise<string[]> {
  const line = await LineProxy.start(() => options.broker.address)
  const story = new Story(options, line)
  try {
    await story.play()
  } catch (error) {
    story.law(false, () => (error instanceof Error ? error.message : String(error)))
  } finally {
    await story.end()
  }
  return story.violations
}

let storyCount = 0

class Story {
  readonly violations: string[] = []
  readonly #options: StoryOptions
  readonly #line: LineProxy
  readonly #queue: string
  readonly #place: Workplace
  readonly #wires: WireClient[] = []
  readonly #clients: TqClient[] = []
  /** A worker that gets no CPU loses its lease, rightly; what that costs is then nobody's fault. */
  readonly #starvation: Starvation

  constructor(options: StoryOptions, line: LineProxy) {
    storyCount += 1
    this.#options = options
    this.#line = line
    this.#queue = `work-${storyCount}`
    this.#place = new Workplace({ queue: this.#queue, leaseMs: LEASE_MS })
    this.#starvation = new Starvation(options.broker, LEASE_MS / 5)
  }

  async play(): Promise<void> {
    const { partition, broker, holdMs } = this.#options
    const direct = this.#client(broker.address)
    const producer = this.#client(this.#line.address)
    await this.#place.add('behind', this.#line.address, [this.#own])
    const long = (await direct.enqueue(this.#queue, 'work', { isLong: true })).id
    await eventually(() => must(this.#place.of(long).length === 1, 'the task has begun'))
    await this.#place.add('free', broker.address)
    await producer.enqueue(this.#produced, 'work', {})
    const zombie = await this.#aZombie()

    const cutMs = performance.now()
    partition.begin(this.#line)
    const produced = Array.from({ length: PRODUCED }, () =>
      producer.enqueue(this.#produced, 'work', {}),
    )
    if (partition.effect === 'cut') await this.#seeHandOver(long, cutMs)
    const stolen = partition.effect === 'cut' ? await this.#steal(zombie) : undefined
    await passed(cutMs + holdMs - performance.now())

    const healedMs = performance.now()
    this.#line.become(WHOLE)
    await this.#seeZombieFenced(zombie, stolen)
    await this.#seeBackAtWork(direct, healedMs)
    await Promise.all(produced)
    const enqueued = (await direct.stats(this.#produced)).queues[0]?.queued
    this.law(
      enqueued === PRODUCED + 1,
      () => `I24: ${enqueued} of ${PRODUCED + 1} tasks were produced`,
    )
    await this.#seeEnd(direct, long)
  }

  async end(): Promise<void> {
    this.#place.open()
    this.#line.become(WHOLE)
    for (const wire of this.#wires) wire.destroy()
    await this.#place.close()
    await Promise.all(this.#clients.map((client) => client.close({ deadlineMs: 0 })))
    this.#line.stop()
  }

  law(holds: boolean, told: () => string): void {
    if (!holds) this.violations.push(`${this.#options.partition.name}: ${told()}`)
  }

  /** A queue that only the worker behind the line serves. */
  get #own(): string {
    return `${this.#queue}-own`
  }

  get #produced(): string {
    return `${this.#queue}-produced`
  }

  /** The worker behind the line stops; then, and not before, the other one begins. */
  async #seeHandOver(task: string, cutMs: number): Promise<void> {
    await eventually(() => must(this.#deeds(task).includes('free begun'), 'another has begun'))
    const deeds = this.#place.of(task)
    const isOrderly = this.#deeds(task).join(', ').startsWith(HAND_OVER)
    this.#lawUnlessStarved(isOrderly, () => `I2: ${this.#deeds(task).join(', ')}`)
    const again = deeds.find(({ worker }) => worker === 'free') as Deed
    const tookMs = Math.round(again.atMs - cutMs)
    // If the broker still hears the worker, the lease is renewed until the worker has given up.
    const isHeard = this.#line.state.up === 'open'
    const boundMs = (isHeard ? 2 : 1) * LEASE_MS + SLACK_MS
    this.#lawUnlessStarved(
      tookMs <= boundMs,
      () => `I12: leased again ${tookMs} ms after the cut, over ${boundMs}`,
    )
  }

  /** Somebody behind the line who has a task, and whose lease nobody renews. */
  async #aZombie(): Promise<Zombie> {
    const session = randomBytes(16)
    const wire = await this.#wire(this.#line.address, session)
    const queue = `${this.#queue}-zombie`
    const task = aTask(queue)
    await wire.enqueue(queue, [task])
    const held = heldOf((await wire.claim(queue, { leaseMs: LEASE_MS })).tasks[0])
    return { wire, session, queue, held }
  }

  /** Takes over the zombie's task; the zombie, late as ever, reports that it is done. */
  async #steal(zombie: Zombie): Promise<Stolen> {
    const wire = await this.#wire(this.#options.broker.address, randomBytes(16))
    const { queue } = zombie
    const { tasks } = await wire.claim(queue, { waitMs: 10_000, leaseMs: 60_000 })
    const stolen = heldOf(tasks[0])
    this.law(stolen.token > zombie.held.token, () => 'I4: a token did not grow')
    const late = zombie.wire.isClosed ? 'gone' : refusedOrGone(zombie.wire.complete(zombie.held))
    return { wire, held: stolen, late }
  }

  async #seeZombieFenced(zombie: Zombie, stolen: Stolen | undefined): Promise<void> {
    if (stolen === undefined) return
    const late = await stolen.late
    this.law(late !== 'taken', () => 'I3: a completion from before the cut was taken')
    const again = await this.#wire(this.#line.address, zombie.session)
    const code = await refusalOf(again.complete(zombie.held))
    this.law(code.includes('STALE_LEASE'), () => `I3: an old token was ${code}`)
    const { state, lease } = await stolen.wire.task(stolen.held.id)
    const isUntouched = state === 'running' && lease?.token === stolen.held.token
    this.law(isUntouched, () => `I3: a task that another holds is ${state}`)
    const completed = await stolen.wire.complete(stolen.held)
    this.law(completed.ok === 1, () => 'I2: the holder of a lease could not complete its task')
  }

  async #seeBackAtWork(direct: TqClient, healedMs: number): Promise<void> {
    const { id } = await direct.enqueue(this.#own, 'work', { isLong: false })
    await eventually(() => must(this.#deeds(id).includes('behind done'), 'the worker is back'), {
      deadlineMs: BACK_MS,
    })
    const tookMs = Math.round(performance.now() - healedMs)
    this.law(tookMs <= BACK_MS, () => `back at work ${tookMs} ms after the line was whole`)
  }

  async #seeEnd(direct: TqClient, long: string): Promise<void> {
    this.#place.open()
    await eventually(() =>
      must(
        this.#deeds(long).some((deed) => deed.endsWith('done')),
        'the task is done',
      ),
    )
    const info = await eventually(async () => {
      const task = await direct.get(long)
      must(task.state === 'completed', `the task is ${task.state}`)
      return task
    })
    this.#seeNoOverlap(long)
    const lost = this.#options.partition.effect === 'cut' ? 1 : 0
    const told = this.#deeds(long).join(', ')
    this.law(info.failures === 0, () => `I13: ${info.failures} failures: ${told}`)
    this.#lawUnlessStarved(info.losses === lost, () => `I13: ${info.losses} losses: ${told}`)
    const begun = this.#deeds(long).filter((deed) => deed.endsWith('begun')).length
    this.#lawUnlessStarved(begun === lost + 1, () => `begun ${begun} times: ${told}`)
  }

  /** Nobody begins a task that another has begun and not ended. */
  #seeNoOverlap(task: string): void {
    let isOpen = false
    for (const { what } of this.#place.of(task)) {
      const isBeginning = what === 'begun'
      this.law(isBeginning !== isOpen, () => `I2: ${this.#deeds(task).join(', ')}`)
      isOpen = isBeginning
    }
  }

  #lawUnlessStarved(holds: boolean, told: () => string): void {
    if (!this.#starvation.happened) this.law(holds, told)
  }

  #deeds(task: string): string[] {
    return this.#place.of(task).map(({ worker, what }) => `${worker} ${what}`)
  }

  #client(to: RigAddress): TqClient {
    const client = new TqClient({
      address: `${to.host}:${to.port}`,
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 60_000,
      reconnect: { baseMs: 20, capMs: 200 },
    })
    this.#clients.push(client)
    return client
  }

  async #wire(to: RigAddress, session: Uint8Array): Promise<WireClient> {
    const wire = await WireClient.connect(to, { session })
    this.#wires.push(wire)
    return wire
  }
}

interface Zombie {
  readonly wire: WireClient
  readonly session: Uint8Array
  readonly queue: string
  readonly held: Held
}

interface Stolen {
  readonly wire: WireClient
  readonly held: Held
  /** What became of the zombie's report. */
  readonly late: Promise<string> | string
}

function refusedOrGone(answer: Promise<{ readonly ok: number }>): Promise<string> {
  return answer.then(
    ({ ok }) => (ok === 0 ? 'refused' : 'taken'),
    () => 'gone',
  )
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`)
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
