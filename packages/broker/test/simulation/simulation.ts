// A whole run from one seed: faults for so many steps, then peace, in which everything must drain.

import { Answers } from './answers.ts'
import { Arrivals } from './arrivals.ts'
import { BrokerProcess } from './broker-process.ts'
import { ClientProducer } from './client-producer.ts'
import { ClientWorker } from './client-worker.ts'
import { Chronicle } from './chronicle.ts'
import { SimulationFailure } from './failure.ts'
import { Fences } from './fences.ts'
import { Faults } from './faults.ts'
import { shortOf } from './heard.ts'
import type { LinkParts } from './link.ts'
import { Network } from './network.ts'
import { OMISSIONS } from './omissions.ts'
import { Operator } from './operator.ts'
import type { Plan } from './plan.ts'
import { Producer } from './producer.ts'
import { SeededRandom } from './seeded-random.ts'
import type { SometimesPoint } from './sometimes.ts'
import { drawSwarm, type Swarm } from './swarm.ts'
import { Trace } from './trace.ts'
import { Worker } from './worker.ts'
import { World } from './world.ts'

export interface RunOptions {
  readonly plan: Plan
  /** Hears every line of the trace. */
  readonly onLine?: (line: string) => void
}

export interface RunResult {
  /** Of everything that happened, in order. */
  readonly hash: string
  /** Events in all, those of the peace included. */
  readonly steps: number
  readonly simulatedMs: number
  readonly points: ReadonlyMap<SometimesPoint, number>
  /** How often each verb reached the broker. */
  readonly verbs: ReadonlyMap<string, number>
}

type Peer = Producer | ClientProducer | Worker | ClientWorker | Operator

/** Everything is compared this often, in events; what must hold after each event is checked then. */
const COMPARE_EVERY = 250
/** Peace must have drained everything after so many events and so much time: I12. */
const DRAIN_STEPS_MAX = 60_000
const DRAIN_MS_MAX = 600_000

/** @throws {SimulationFailure} */
export async function runSimulation(options: RunOptions): Promise<RunResult> {
  return new Simulation(options).run()
}

class Simulation {
  readonly #options: RunOptions
  readonly #swarm: Swarm
  readonly #world = new World()
  readonly #trace: Trace
  readonly #chronicle: Chronicle
  readonly #broker: BrokerProcess
  readonly #network: Network
  readonly #faults: Faults
  readonly #producers: (Producer | ClientProducer)[] = []
  readonly #workers: (Worker | ClientWorker)[] = []
  readonly #operators: Operator[] = []
  #steps = 0
  #rejection: unknown

  constructor(options: RunOptions) {
    const { seed } = options.plan
    const swarm = swarmOf(options.plan)
    const world = this.#world
    const trace = new Trace(world, options.onLine)
    const chronicle = new Chronicle(trace, swarm.dedupeMs)
    const arrivals = new Arrivals(trace, chronicle)
    const answers = new Answers(trace, chronicle, arrivals)
    const fences = new Fences()
    const broker = new BrokerProcess({
      world,
      trace,
      chronicle,
      answers,
      arrivals,
      fences,
      swarm,
      seed,
    })
    const network = new Network({
      world,
      trace,
      broker,
      swarm,
      random: new SeededRandom(seed, 'network'),
      onWrite: (path) => this.#faults.written(path),
    })
    const partsOf = (name: string): LinkParts => {
      const random = new SeededRandom(seed, name)
      return { world, trace, arrivals, network, swarm, random }
    }
    this.#options = options
    this.#swarm = swarm
    this.#trace = trace
    this.#chronicle = chronicle
    this.#broker = broker
    this.#network = network
    for (const name of namesOf('producer', swarm.producers.count)) {
      this.#producers.push(new Producer(partsOf(name), chronicle, name))
    }
    for (const name of namesOf('worker', swarm.workers.count)) {
      this.#workers.push(new Worker(partsOf(name), name))
    }
    for (const name of namesOf('sdk-producer', swarm.clients.producers)) {
      this.#producers.push(new ClientProducer(partsOf(name), chronicle, { name, seed }))
    }
    for (const name of namesOf('sdk-worker', swarm.clients.workers)) {
      this.#workers.push(new ClientWorker(partsOf(name), fences, { name, seed }))
    }
    // There is always one who resumes what is paused; it may have nothing else to do.
    for (const name of namesOf('operator', 1)) {
      this.#operators.push(new Operator(partsOf(name), chronicle, name))
    }
    const random = new SeededRandom(seed, 'faults')
    this.#faults = new Faults({ world, trace, chronicle, broker, swarm, random, network })
    broker.onDeath = () => {
      network.brokerDied()
      this.#faults.restartLater()
    }
  }

  async run(): Promise<RunResult> {
    const onRejection = (error: unknown): void => void (this.#rejection ??= error)
    process.on('unhandledRejection', onRejection)
    try {
      // From here on everything runs in microtasks: see `settle`.
      await new Promise((resolve) => setImmediate(resolve))
      this.#begin()
      await this.#runWhile(() => this.#steps < this.#options.plan.steps)
      this.#calm()
      await this.#drain()
      await this.#crashOnceMore()
    } catch (error) {
      throw this.#failure(error)
    } finally {
      process.off('unhandledRejection', onRejection)
    }
    return {
      hash: this.#trace.digest(),
      steps: this.#steps,
      simulatedMs: this.#world.nowMs,
      points: this.#trace.points,
      verbs: this.#trace.verbs,
    }
  }

  #begin(): void {
    this.#broker.start()
    this.#faults.start()
    for (const peer of this.#peers()) peer.start()
  }

  /** @param isWanted Asked before each event; the laws are looked at after each. */
  #runWhile(isWanted: () => boolean): Promise<void> {
    let isFirst = true
    return this.#world.run(() => {
      if (!isFirst) this.#check()
      isFirst = false
      return isWanted()
    })
  }

  #check(): void {
    // oxlint-disable-next-line typescript/only-throw-error -- whatever was rejected is passed on
    if (this.#rejection !== undefined) throw this.#rejection
    this.#steps += 1
    this.#broker.checkMemoryIfChanged()
    if (this.#steps % COMPARE_EVERY === 0) this.#broker.checkAll()
    if (this.#trace.violation !== undefined) throw new Error(this.#trace.violation)
  }

  /** Faults stop, workers work, producers only find out what became of their requests. */
  #calm(): void {
    this.#trace.note('world', 'peace begins')
    this.#faults.stop()
    this.#world.mendWall()
    this.#broker.calm()
    this.#network.calm()
    for (const peer of this.#peers()) peer.calm()
  }

  async #drain(): Promise<void> {
    const stepsMax = this.#steps + DRAIN_STEPS_MAX
    const endMs = this.#world.nowMs + DRAIN_MS_MAX
    await this.#runWhile(() => {
      if (this.#isDrained()) return false
      if (this.#steps < stepsMax && this.#world.nowMs < endMs) return true
      this.#trace.violate(`I12: after so much peace ${this.#leftOver()}`)
      throw new Error(this.#trace.violation)
    })
    this.#broker.checkAll()
  }

  #isDrained(): boolean {
    if (this.#chronicle.live.live.size > 0 || this.#chronicle.isInFlight) return false
    if (this.#broker.listening === undefined || !this.#chronicle.isQuiet) return false
    return this.#producers.every(({ isDone }) => isDone)
  }

  #leftOver(): string {
    const left = [...this.#chronicle.live.live.values()]
    const tasks = left.slice(0, 5).map(({ id, state }) => `${shortOf(id)} is ${state}`)
    const unknown = this.#producers.filter(({ isDone }) => !isDone).length
    return `${left.length} tasks are left (${tasks.join(', ')}), ${unknown} producers wait for answers`
  }

  /** What was acknowledged in peace must outlive one more crash. */
  async #crashOnceMore(): Promise<void> {
    this.#broker.crash('lost')
    const endMs = this.#world.nowMs + DRAIN_MS_MAX
    const isDown = (): boolean => this.#broker.listening === undefined
    await this.#runWhile(() => isDown() && this.#world.nowMs < endMs)
    this.#broker.checkAll()
    this.#chronicle.checkPromises()
    if (this.#trace.violation !== undefined) throw new Error(this.#trace.violation)
  }

  #peers(): readonly Peer[] {
    return [...this.#producers, ...this.#workers, ...this.#operators]
  }

  #failure(cause: unknown): SimulationFailure {
    const law =
      this.#trace.violation ??
      (cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
    const story = [...this.#trace.tail, `swarm ${JSON.stringify(this.#swarm)}`]
    const { plan } = this.#options
    return new SimulationFailure({ plan, law, event: this.#steps, story }, cause)
  }
}

/** What the seed draws, but for what the plan leaves out. */
function swarmOf({ seed, without, producersMax, workersMax }: Plan): Swarm {
  const drawn = drawSwarm(seed)
  const { producers, workers, clients } = drawn
  const fewer = {
    ...drawn,
    producers: { ...producers, count: Math.min(producers.count, producersMax ?? Infinity) },
    workers: { ...workers, count: Math.min(workers.count, workersMax ?? Infinity) },
    clients: {
      ...clients,
      producers: Math.min(clients.producers, producersMax ?? Infinity),
      workers: Math.min(clients.workers, workersMax ?? Infinity),
    },
  }
  return without.reduce((swarm: Swarm, name) => OMISSIONS[name](swarm), fewer)
}

function namesOf(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${what}${index + 1}`)
}
