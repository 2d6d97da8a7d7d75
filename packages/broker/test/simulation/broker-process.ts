// The broker as a process of the simulated world: it starts, stands still, dies, and starts again.

import { checkInvariants } from '../../src/engine/invariants.ts'
import type { Fact } from '../../src/engine/fact.ts'
import { NO_ROW, type Row } from '../../src/engine/rows.ts'
import { Housekeeping } from '../../src/pipeline/housekeeping.ts'
import { Partition } from '../../src/pipeline/partition.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { Ticker } from '../../src/pipeline/ticker.ts'
import {
  FaultyStore,
  type Fate,
  type FaultPlan,
  NO_FAULTS,
} from '../../src/storage/faulty-store.ts'
import { taskKey } from '../../src/storage/key.ts'
import { MemoryImage } from '../../src/storage/memory-image.ts'
import type { Answers } from './answers.ts'
import type { Arrivals } from './arrivals.ts'
import { partitionOptions, WORKER_DEAD_MS } from './broker-options.ts'
import type { Chronicle } from './chronicle.ts'
import { type Damaged, DamagedDisk } from './damaged-disk.ts'
import { refusalOf } from './damaged-start.ts'
import { checkEngine } from './engine-check.ts'
import type { Fences } from './fences.ts'
import { FrontDesk } from './front-desk.ts'
import { bytesOf, type Heard, type Moment, namesIn } from './heard.ts'
import { checkKept } from './kept-check.ts'
import { Laws, lineOf } from './laws.ts'
import { checkParked } from './parked-check.ts'
import { reachPoints } from './points.ts'
import { ProcessScheduler } from './process-scheduler.ts'
import { SeededRandom } from './seeded-random.ts'
import { Stalls } from './stalls.ts'
import { StoreCheck } from './store-check.ts'
import type { Swarm } from './swarm.ts'
import type { Trace } from './trace.ts'
import { WatchedStore } from './watched-store.ts'
import type { World } from './world.ts'

/** Of so many events that changed anything, after one: looking at every task after each costs much. */
const INVARIANTS_EVERY = 4

export interface BrokerProcessParts {
  readonly world: World
  readonly trace: Trace
  readonly chronicle: Chronicle
  readonly answers: Answers
  readonly arrivals: Arrivals
  readonly fences: Fences
  readonly swarm: Swarm
  readonly seed: number
}

/** What listens once recovery is through. */
export interface Listening {
  readonly partition: Partition
  readonly pipeline: Pipeline
  readonly housekeeping: Housekeeping
  readonly laws: Laws
  readonly desk: FrontDesk
}

export class BrokerProcess {
  readonly #parts: BrokerProcessParts
  readonly #random: SeededRandom
  readonly #stalls = new Stalls()
  readonly #corrupted = new Set<string>()
  readonly #image = new MemoryImage()
  readonly #storeCheck: StoreCheck
  readonly #disk: DamagedDisk
  #scheduler: ProcessScheduler
  #store: FaultyStore | undefined
  #listening: Listening | undefined
  #epoch = 0
  #hasFailed = false
  #isCalm = false
  /** How much had happened when memory was last checked. */
  #checkedAt = 0
  #changeCount = 0
  /** A commit has landed: what it ended left memory, and there may be room again. */
  #hasForgotten = false
  /** The commit that ended as unknown, until the next start tells what became of it. */
  #unknownLsn = 0
  readonly #plan: { -readonly [K in keyof FaultPlan]: FaultPlan[K] }
  /** The disk is nearly full. */
  isSpaceLow = false
  /** Called when a commit begins. */
  onCommit: () => void = () => undefined
  /** Called when the process is gone. */
  onDeath: () => void = () => undefined

  constructor(parts: BrokerProcessParts) {
    this.#parts = parts
    this.#storeCheck = new StoreCheck(parts.trace, this.#image)
    this.#disk = new DamagedDisk(this.#image)
    this.#random = new SeededRandom(parts.seed, 'broker')
    this.#scheduler = new ProcessScheduler(parts.world)
    const { unknownChance } = parts.swarm.faults
    this.#plan = { ...parts.swarm.store, unknownChance, appliedChance: 0.5 }
  }

  /** Undefined while it is down or recovers. */
  get listening(): Listening | undefined {
    return this.#listening
  }

  get isRecovering(): boolean {
    return this.#store !== undefined && this.#listening === undefined
  }

  /** Runs what reaches this process from outside. */
  get scheduler(): ProcessScheduler {
    return this.#scheduler
  }

  /** From now on its disk works as it should. */
  calm(): void {
    Object.assign(this.#plan, NO_FAULTS)
    this.isSpaceLow = false
    this.#isCalm = true
  }

  start(): void {
    const damaged = this.#isCalm ? undefined : this.#drawDamage()
    if (damaged === undefined) this.#start()
    else void this.#startDamaged(damaged)
  }

  #drawDamage(): Damaged | undefined {
    const { damagedStartChance } = this.#parts.swarm.faults
    return this.#random.happens(damagedStartChance) ? this.#disk.damage(this.#random) : undefined
  }

  /** Somebody puts the disk right after the start was refused. */
  async #startDamaged(damaged: Damaged): Promise<void> {
    const { trace, world, swarm } = this.#parts
    const options = partitionOptions(swarm, 1)
    const code = await refusalOf(damaged.image, { world, random: this.#random, options })
    trace.note('broker', `is started on ${damaged.what}: ${code ?? 'it serves'}`)
    const isRefused = code === 'GAP' || code === 'CORRUPT'
    trace.law(isRefused, `I8: a start on ${damaged.what} is refused by name, not with ${code}`)
    trace.reach(damaged.point)
    world.after(this.#random.magnitude(1, 100), () => this.#start())
  }

  #start(): void {
    const { world } = this.#parts
    this.#scheduler = new ProcessScheduler(world)
    this.#hasFailed = false
    void this.#recover(this.#scheduler).catch((error: unknown) => {
      this.#parts.trace.violate(`the broker does not start: ${String(error)}`)
    })
  }

  /** Dies in the midst of whatever it does. */
  crash(fate: Fate): void {
    const { trace, chronicle } = this.#parts
    if (this.#store === undefined) return
    if (chronicle.isInFlight && !this.#hasFailed) {
      if (fate === 'applied') trace.reach('a commit in flight was kept by a crash')
      else trace.reach('a commit in flight was lost in a crash')
    }
    if (this.isRecovering) trace.reach('the broker crashed while it recovered')
    this.#checkInvariants()
    trace.note('broker', `crashes, the commit in flight is ${fate}`)
    this.#store.crash(fate)
    this.#scheduler.kill()
    this.#store = undefined
    this.#listening = undefined
    this.onDeath()
  }

  stall(forMs: number): void {
    const { trace, world } = this.#parts
    trace.note('broker', `stands still for ${forMs.toFixed(0)} ms`)
    if (this.#stalls.begin(world.nowMs, forMs)) this.#scheduler.stall(forMs)
  }

  /** Damages the payload of a waiting task on disk. */
  corruptPayload(id: string): void {
    const key = taskKey('payload', bytesOf(id))
    if (this.#store === undefined || this.#image.get(key) === undefined) return
    this.#store.corruptKey(key)
    this.#corrupted.add(id)
    this.#parts.answers.diskDamaged()
    this.#parts.trace.note('disk', `damages the payload of ${id.slice(-6)}`)
  }

  /** Checks what must hold after every event, if the one before could have changed anything. */
  checkMemoryIfChanged(): void {
    const { chronicle, arrivals } = this.#parts
    const now = chronicle.heardCount + arrivals.count
    if (now === this.#checkedAt && !this.#hasForgotten) return
    this.#checkedAt = now
    this.#hasForgotten = false
    this.#changeCount += 1
    if (this.#changeCount % INVARIANTS_EVERY === 0) this.#checkInvariants()
    this.#checkParked()
  }

  /** What is wrong with a heap, an index or a count stays so until it is found here. */
  #checkInvariants(): void {
    if (this.#listening === undefined || this.#hasFailed) return
    checkInvariants(this.#listening.partition.state)
  }

  #checkParked(): void {
    if (this.#listening === undefined || this.#hasFailed) return
    const { trace, arrivals, world } = this.#parts
    const { partition, laws } = this.#listening
    if (!partition.commits.isFull) checkParked(trace, { laws, arrivals, nowMs: world.nowMs })
  }

  /** Compares memory and disk with the model. */
  checkAll(): void {
    const { trace, chronicle } = this.#parts
    // After a failure memory is ahead of the disk, and only the next start tells how far.
    if (this.#hasFailed || this.#store === undefined) return
    if (this.#listening !== undefined) {
      this.#checkInvariants()
      checkEngine(trace, this.#listening.partition.state, chronicle.live)
      const { partition, housekeeping } = this.#listening
      const isQuiet = !partition.builder.hasWork && !chronicle.isInFlight
      if (isQuiet) checkKept(trace, { partition, housekeeping, model: chronicle.durable })
    }
    this.#storeCheck.run({
      model: chronicle.durable,
      lsn: chronicle.durableLsn,
      isCorrupted: (id) => this.#corrupted.has(id),
    })
  }

  async #recover(scheduler: ProcessScheduler): Promise<void> {
    const { world, trace, chronicle, arrivals, fences, swarm } = this.#parts
    const store = new FaultyStore(this.#image, {
      random: this.#random,
      scheduler,
      plan: this.#plan,
    })
    this.#store = store
    const watched = new WatchedStore(store, {
      chronicle,
      trace,
      disk: swarm.faults.damagedStartChance > 0 ? this.#disk : undefined,
      onCommit: () => this.onCommit(),
    })
    const opened = await watched.open()
    this.#disk.opened()
    const { epoch } = opened.ownership
    trace.note('broker', `opens its store at commit ${opened.lsn}, epoch ${epoch}`)
    trace.law(epoch > this.#epoch, `I4: epoch ${epoch} follows epoch ${this.#epoch}`)
    this.#epoch = epoch
    if (this.#unknownLsn > 0) {
      if (opened.lsn >= this.#unknownLsn)
        trace.reach('a commit that ended as unknown had been applied')
      else trace.reach('a commit that ended as unknown had been lost')
      this.#unknownLsn = 0
    }
    chronicle.reopened(opened.lsn)
    this.checkAll()
    const laws = new Laws(trace, chronicle.live, {
      epoch,
      workerDeadMs: WORKER_DEAD_MS,
      claimOf: (session, claim) => arrivals.claimOf(session, claim),
      contactMs: (session) => arrivals.contactMs(session),
      renewedMs: (token) => arrivals.renewedMs(token),
      stalledMs: (sinceMs) => this.#stalls.noticedMs(sinceMs),
      isCorrupted: (id) => this.#corrupted.has(id),
      goesOn: (token) => fences.goesOn(token),
    })
    const partition: Partition = await Partition.recover(
      { store: watched, opened, run: async (_, step) => (await step()).value },
      partitionOptions(swarm, this.#random.between(0, 2 ** 32 - 1)),
      {
        world: { clock: world, scheduler, random: this.#random },
        events: {
          onFact: (fact, task) => {
            this.#hear(laws, partition, { fact, task })
            this.#listening?.pipeline.heard(fact, task)
          },
          onCommitted: (report) => {
            this.#hasForgotten = true
            this.#listening?.housekeeping.note(report.built.keptChanges)
          },
          onRoom: () => this.#listening?.pipeline.drainBacklog(),
          onFailed: (outcome) => this.#fail(outcome),
          onDamage: (what) => trace.note('broker', `finds a damaged ${what} record`),
        },
      },
    )
    this.#listen(scheduler, partition, laws)
  }

  #listen(scheduler: ProcessScheduler, partition: Partition, laws: Laws): void {
    const { world, trace, chronicle, answers, arrivals, swarm } = this.#parts
    const pipeline = new Pipeline(
      partition,
      {
        admission: {
          commitMsMax: 1_000,
          freeBytes: () => (this.isSpaceLow ? 0 : Infinity),
          freeBytesMin: 1,
        },
        heartbeatMs: swarm.workers.heartbeatMs,
        version: 'simulated',
      },
      { onAnswer: () => undefined },
    )
    const housekeeping = new Housekeeping(partition, {
      keptMax: 200,
      dedupeMs: swarm.dedupeMs,
    })
    pipeline.reads.countKeptBy((queue) => housekeeping.keptOf(queue))
    const ticker = new Ticker({
      partition,
      pipeline,
      housekeeping,
      clock: world,
      scheduler,
      onStall: () => trace.reach('a stall of the broker extended the leases'),
    })
    const { state } = partition
    chronicle.restarted(this.#momentOf(partition), (id) => {
      const row = state.index.find(bytesOf(id))
      if (row === undefined) return undefined
      const lease = state.tasks.lease(row)
      const deadlineTickMs = lease === NO_ROW ? undefined : state.leases.deadlineTickMs(lease)
      return { state: state.tasks.state(row), deadlineTickMs }
    })
    if (chronicle.durableLsn > 0 && state.liveCount > 0) {
      trace.reach('an acknowledged task was found again after a crash')
    }
    const desk = new FrontDesk({
      world,
      trace,
      answers,
      arrivals,
      swarm,
      random: this.#random,
      scheduler,
      pipeline,
      epoch: this.#epoch,
      workerDeadMs: WORKER_DEAD_MS,
    })
    desk.start()
    this.#listening = { partition, pipeline, housekeeping, laws, desk }
    answers.started()
    arrivals.started(world.nowMs)
    this.#checkInvariants()
    this.#checkParked()
    // The disk was compared when the store was opened, and nothing was written since.
    checkEngine(trace, state, chronicle.live)
    ticker.start()
    void housekeeping.begin().catch((error: unknown) => trace.note('broker', String(error)))
    trace.note('broker', `listens with ${state.liveCount} tasks`)
  }

  #hear(laws: Laws, partition: Partition, what: { fact: Fact; task: Row }): void {
    const { world, trace, chronicle, arrivals } = this.#parts
    const { fact, task } = what
    const heard: Heard = {
      fact,
      ...namesIn(partition.state, fact, task),
      at: this.#momentOf(partition),
      event: world.eventNumber,
    }
    trace.note('fact', lineOf(heard))
    try {
      // What a failed broker still thinks becomes neither durable nor known: R4 sees to that.
      if (!this.#hasFailed) laws.judge(heard)
      reachPoints(trace, heard, { model: chronicle.live, arrivals, epoch: this.#epoch })
      chronicle.hear(heard)
      if (fact.kind === 'session-seen') arrivals.seen(heard.session, world.nowMs)
      if (fact.kind === 'task-leased') arrivals.unparked(heard.session, fact.claim)
    } catch (error) {
      // What the model cannot follow is a broken law as well; the first one was noted above.
      trace.violate(`the model cannot follow: ${String(error)}`)
    }
  }

  #fail(outcome: string): void {
    const { world, trace, answers } = this.#parts
    this.#hasFailed = true
    this.#unknownLsn = this.#parts.chronicle.durableLsn + 1
    answers.failed()
    trace.note('broker', `has failed: ${outcome}; it exits`)
    // Like the real one: most of the time nobody is even listened to any more.
    if (this.#random.happens(0.7)) this.#listening?.pipeline.silence()
    const store = this.#store
    // Within a second the process is gone; until then it may still be spoken to.
    world.after(this.#random.chance() * 1_000, () => {
      if (this.#store === store) this.crash('lost')
    })
  }

  #momentOf(partition: Partition): Moment {
    return { ...partition.now(), monotonicMs: this.#parts.world.nowMs }
  }
}
