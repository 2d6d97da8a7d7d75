// What goes wrong in the world, at moments that the seed draws: crashes, stalls, cuts, clock steps.

import type { BrokerProcess } from './broker-process.ts'
import type { Chronicle } from './chronicle.ts'
import type { Network, Path } from './network.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Swarm } from './swarm.ts'
import type { Trace } from './trace.ts'
import type { World } from './world.ts'

export interface FaultParts {
  readonly world: World
  readonly trace: Trace
  readonly chronicle: Chronicle
  readonly broker: BrokerProcess
  readonly swarm: Swarm
  readonly random: SeededRandom
  readonly network: Network
}

export class Faults {
  readonly #parts: FaultParts
  #isOver = false
  /** The next commit will not live to see its end. */
  #isCrashArmed = false
  /** The next request may not arrive, or its answer. */
  #isCutArmed = false
  /** The next one to ask will not read the answer. */
  #isDeafArmed = false

  constructor(parts: FaultParts) {
    this.#parts = parts
  }

  start(): void {
    const { faults } = this.#parts.swarm
    this.#parts.broker.onCommit = () => this.#commitBegins()
    this.#every(faults.crashEveryMs, () => this.#crashSoon())
    this.#every(faults.stallEveryMs, () => this.#stall())
    this.#every(faults.wallStepEveryMs, () => this.#stepWall())
    this.#every(faults.linkBreakEveryMs, () => this.#breakLink())
    this.#every(faults.deafEveryMs, () => (this.#isDeafArmed = true))
    this.#every(faults.corruptEveryMs, () => this.#corrupt())
    if (faults.lowSpaceChance > 0) this.#every(500, () => this.#lowSpace())
  }

  /** Nothing goes wrong any more. */
  stop(): void {
    this.#isOver = true
  }

  /** The broker died for whatever reason: somebody starts it again. */
  restartLater(): void {
    const { world, broker, swarm, random } = this.#parts
    world.after(random.magnitude(1, 1_000), () => {
      broker.start()
      if (this.#isOver || !random.happens(swarm.faults.crashWhileRecoveringChance)) return
      world.after(random.chance() * 20, () => {
        if (broker.isRecovering) this.#crash()
      })
    })
  }

  #every(meanMs: number, run: () => void): void {
    const { world, random } = this.#parts
    if (meanMs === 0) return
    world.after(random.magnitude(meanMs / 4, meanMs * 4), () => {
      if (this.#isOver) return
      run()
      this.#every(meanMs, run)
    })
  }

  /** Most crashes come while a commit is in flight: that is where they may do harm. */
  #crashSoon(): void {
    if (this.#parts.random.happens(0.7)) this.#isCrashArmed = true
    else this.#crash()
  }

  #commitBegins(): void {
    if (!this.#isCrashArmed || this.#isOver) return
    this.#isCrashArmed = false
    const { world, random, swarm } = this.#parts
    world.after(random.chance() * Math.min(1, swarm.store.commitMsMax / 2), () => this.#crash())
  }

  #crash(): void {
    const { broker, random } = this.#parts
    broker.crash(random.happens(0.5) ? 'applied' : 'lost')
  }

  #stall(): void {
    const { broker, random, swarm } = this.#parts
    broker.stall(random.magnitude(50, swarm.faults.stallMsMax))
  }

  #stepWall(): void {
    const { world, trace, random, swarm } = this.#parts
    const byMs = Math.round(random.magnitude(1, swarm.faults.wallStepMsMax))
    const stepMs = random.happens(0.5) ? byMs : -byMs
    if (stepMs < 0) trace.reach('the wall clock stepped back')
    trace.note('clock', `the wall clock steps by ${stepMs} ms`)
    world.stepWall(stepMs)
  }

  /** Most cuts come while a request or its answer is on its way. */
  written(path: Path): void {
    if (this.#isOver) return
    if (this.#isDeafArmed) {
      this.#isDeafArmed = false
      this.#deafen(path)
    }
    if (!this.#isCutArmed) return
    this.#isCutArmed = false
    const { world, random, swarm, network } = this.#parts
    world.after(random.chance() * 3 * swarm.network.latencyMsMax, () => network.cut(path))
  }

  #breakLink(): void {
    const { random, network } = this.#parts
    if (random.happens(0.7)) {
      this.#isCutArmed = true
      return
    }
    const { open } = network
    if (open.length > 0) network.cut(random.pick(open))
  }

  /** A peer hangs, but its system keeps the connection: what is sent to it fills up. */
  #deafen({ client, scheduler }: Path): void {
    const { random, swarm, trace } = this.#parts
    const forMs = swarm.network.patienceMs * random.magnitude(0.5, 8)
    trace.note('network', `a peer reads nothing for ${forMs.toFixed(0)} ms`)
    client.pause()
    // In the peer's own time: while its process stands still it reads nothing either.
    scheduler.after(forMs, () => client.resume())
  }

  #corrupt(): void {
    const { chronicle, random, broker } = this.#parts
    const waiting = [...chronicle.durable.live.values()]
    if (waiting.length > 0) broker.corruptPayload(random.pick(waiting).id)
  }

  #lowSpace(): void {
    const { broker, random, swarm } = this.#parts
    broker.isSpaceLow = random.happens(swarm.faults.lowSpaceChance)
  }
}
