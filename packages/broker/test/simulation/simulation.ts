// A whole run from one seed: faults for so many steps, then peace, in which everything must drain.

import { Answers } from './answers.ts'
import { Arrivals } from './arrivals.ts'
import { BrokerProcess } from './broker-process.ts'
import { Chronicle } from './chronicle.ts'
import { Faults } from './faults.ts'
import { shortOf } from './heard.ts'
import type { Link, LinkParts } from './link.ts'
import { Operator } from './operator.ts'
import { Producer } from './producer.ts'
import { SeededRandom } from './seeded-random.ts'
import type { SometimesPoint } from './sometimes.ts'
import { drawSwarm, type Swarm } from './swarm.ts'
import { Trace } from './trace.ts'
import { Worker } from './worker.ts'
import { World } from './world.ts'

export interface RunOptions {
  readonly seed: number
  /** Events before the faults stop. */
  readonly steps: number
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
}

/** A broken law, with all that is needed to see it again. */
class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
}

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
  readonly #faults: Faults
  readonly #producers: Producer[] = []
  readonly #workers: Worker[] = []
  readonly #operators: Operator[] = []
  #steps = 0
  #rejection: unknown

  constructor(options: RunOptions) {
    const { seed } = options
    const swarm = drawSwarm(seed)
    const world = this.#world
    const trace = new Trace(world, options.onLine)
    const chronicle = new Chronicle(trace)
    const arrivals = new Arrivals(trace, chronicle)
    const answers = new Answers(trace, chronicle, arrivals)
    const broker = new BrokerProcess({ world, trace, chronicle, answers, arrivals, swarm, seed })
    const partsOf = (name: string): LinkParts => {
      const random = new SeededRandom(seed, name)
      const onSend = (link: Link): void => this.#faults.requestLeaves(link)
      return { world, trace, answers, arrivals, broker, swarm, random, onSend }
    }
    this.#options = options
    this.#swarm = swarm
    this.#trace = trace
    this.#chronicle = chronicle
    this.#broker = broker
    for (const name of namesOf('producer', swarm.producers.count)) {
      this.#producers.push(new Producer(partsOf(name), chronicle, name))
    }
    for (const name of namesOf('worker', swarm.workers.count)) {
      this.#workers.push(new Worker(partsOf(name), name))
    }
    // There is always one who resumes what is paused; it may have nothing else to do.
    for (const name of namesOf('operator', 1)) {
      this.#operators.push(new Operator(partsOf(name), chronicle, name))
    }
    const random = new SeededRandom(seed, 'faults')
    const links = (): readonly Link[] => this.#links()
    this.#faults = new Faults({ world, trace, chronicle, broker, swarm, random, links })
    broker.onDeath = () => {
      for (const link of this.#links()) link.brokerDied()
      this.#faults.restartLater()
    }
  }

  async run(): Promise<RunResult> {
    const onRejection = (error: unknown): void => void (this.#rejection ??= error)
    process.on('unhandledRejection', onRejection)
    try {
      this.#begin()
      while (this.#steps < this.#options.steps) await this.#step()
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
    }
  }

  #begin(): void {
    this.#broker.start()
    this.#faults.start()
    for (const peer of this.#peers()) peer.start()
  }

  async #step(): Promise<void> {
    const hasMore = await this.#world.step()
    // oxlint-disable-next-line typescript/only-throw-error -- whatever was rejected is passed on
    if (this.#rejection !== undefined) throw this.#rejection
    this.#steps += 1
    this.#trace.law(hasMore, 'the world goes on')
    this.#broker.checkMemory()
    if (this.#steps % COMPARE_EVERY === 0) this.#broker.checkAll()
    if (this.#trace.violation !== undefined) throw new Error(this.#trace.violation)
  }

  /** Faults stop, workers work, producers only find out what became of their requests. */
  #calm(): void {
    this.#trace.note('world', 'peace begins')
    this.#faults.stop()
    this.#world.mendWall()
    this.#broker.calm()
    for (const peer of this.#peers()) peer.calm()
  }

  async #drain(): Promise<void> {
    const stepsMax = this.#steps + DRAIN_STEPS_MAX
    const endMs = this.#world.nowMs + DRAIN_MS_MAX
    while (!this.#isDrained()) {
      await this.#step()
      if (this.#steps < stepsMax && this.#world.nowMs < endMs) continue
      this.#trace.violate(`I12: after ${DRAIN_MS_MAX} ms of peace ${this.#leftOver()}`)
    }
    this.#broker.checkAll()
  }

  #isDrained(): boolean {
    if (this.#broker.listening === undefined || this.#chronicle.isInFlight) return false
    if (this.#producers.some(({ isDone }) => !isDone)) return false
    for (const { end } of this.#chronicle.live.tasks.values()) if (end === undefined) return false
    return this.#chronicle.isQuiet
  }

  #leftOver(): string {
    const left = [...this.#chronicle.live.tasks.values()].filter(({ end }) => end === undefined)
    const tasks = left.slice(0, 5).map(({ id, state }) => `${shortOf(id)} is ${state}`)
    const unknown = this.#producers.filter(({ isDone }) => !isDone).length
    return `${left.length} tasks are left (${tasks.join(', ')}), ${unknown} producers wait for answers`
  }

  /** What was acknowledged in peace must outlive one more crash. */
  async #crashOnceMore(): Promise<void> {
    this.#broker.crash('lost')
    const endMs = this.#world.nowMs + DRAIN_MS_MAX
    while (this.#broker.listening === undefined && this.#world.nowMs < endMs) await this.#step()
    this.#broker.checkAll()
    this.#chronicle.checkPromises()
    if (this.#trace.violation !== undefined) throw new Error(this.#trace.violation)
  }

  #peers(): readonly (Producer | Worker | Operator)[] {
    return [...this.#producers, ...this.#workers, ...this.#operators]
  }

  #links(): readonly Link[] {
    return this.#peers().map(({ link }) => link)
  }

  #failure(cause: unknown): SimulationFailure {
    const { seed, steps } = this.#options
    const what =
      this.#trace.violation ??
      (cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
    const lines = [
      what,
      `seed ${seed}, event ${this.#steps}; see it again with: make sim SEED=${seed} STEPS=${steps}`,
      ...this.#trace.tail,
      `swarm ${JSON.stringify(this.#swarm)}`,
    ]
    return new SimulationFailure(lines.join('\n'), { cause })
  }
}

function namesOf(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${what}${index + 1}`)
}
