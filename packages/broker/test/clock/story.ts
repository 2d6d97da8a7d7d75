// One broker under a clock that steps: everything that has to do with time goes on meanwhile, and
// what became of it is held against what time alone should have brought.

import {
  type ClaimedTask,
  encodePayload,
  isTaskIdBytes,
  type TaskIdBytes,
  type TaskOptions,
  type TaskState,
} from '@tq/core'
import { aTask } from '../end-to-end/task-spec.ts'
import { type Held, heldOf, refusalOf, type WireClient } from '../end-to-end/wire-client.ts'
import { RigBroker } from '../rig-broker.ts'
import type { ClockCase } from './clock-case.ts'
import { FakeClock } from './fake-clock.ts'
import { Sightings } from './sightings.ts'
import { Timeline, type Window } from './timeline.ts'

/** Leases, delays, timeouts: all of the story lies between the first step and its end. */
const LEASE_MS = 1_500
const DELAY_MS = 1_200
const BACKOFF_MS = 1_600
const BEAT_EVERY_MS = 300
/** After the last step: two rounds of housekeeping, and the longest of the times above. */
const AFTERMATH_MS = 2_300
/** Rounding of two clocks. */
const EARLY_MS = 20
/** A look at the clock, and a machine that has other things to do. */
const LATE_MS = 3_000
/** Leases are extended by a stall, which begins with the last look at the clock. */
const LOOK_MS = 520
const HOUR_MS = 3_600_000
const FLAGS = ['--timeouts-idle-ms=86400000', '--workers-heartbeat-ms=300']

/** Plays a case on a directory of its own. @returns What was not as it should be. */
export async function playClockCase(clockCase: ClockCase, directory: string): Promise<string[]> {
  const story = await Story.create(clockCase, directory)
  try {
    await story.play()
  } finally {
    await story.end()
  }
  return story.violations
}

class Story {
  readonly violations: string[] = []
  readonly #case: ClockCase
  readonly #clock: FakeClock
  readonly #broker: RigBroker
  readonly #wires: WireClient[] = []
  readonly #claims: Promise<void>[] = []
  #timeline = new Timeline(0)
  #madeIds: TaskIdBytes[] = []
  #isOver = false

  static async create(clockCase: ClockCase, directory: string): Promise<Story> {
    const clock = await FakeClock.create(directory, clockCase.kind)
    return new Story(clockCase, clock, new RigBroker(`${directory}/data`, FLAGS))
  }

  private constructor(clockCase: ClockCase, clock: FakeClock, broker: RigBroker) {
    this.#case = clockCase
    this.#clock = clock
    this.#broker = broker
  }

  async play(): Promise<void> {
    await this.#broker.start({ env: this.#clock.env })
    const { startWallMs } = this.#case
    if (startWallMs !== undefined) await this.#clock.stepTo(startWallMs - Date.now())
    this.#timeline = new Timeline(this.#clock.aheadMs)
    const wire = await this.#connect()
    const sightings = new Sightings(await this.#connect())
    const kept = await this.#prepare(wire, sightings)
    sightings.start()
    const beats = this.#beat(kept.wire, kept.held)
    await this.#step(wire)
    this.#isOver = true
    await Promise.all([sightings.stop(), beats, ...this.#claims])
    this.#checkTimes(sightings)
    await this.#checkMemory(wire)
    await this.#checkRestart(wire)
  }

  async end(): Promise<void> {
    this.#isOver = true
    for (const wire of this.#wires) wire.destroy()
    await this.#broker.kill()
  }

  /** All that time will bring; the windows are put down in {@link #expected}. */
  readonly #expected = new Map<
    string,
    { readonly from: TaskState; readonly window: () => Window }
  >()

  async #prepare(
    wire: WireClient,
    sightings: Sightings,
  ): Promise<{ readonly wire: WireClient; readonly held: Held }> {
    const due = async (name: string, from: TaskState, make: () => TaskOptions): Promise<void> => {
      const earliestMs = this.#clock.wallMs + DELAY_MS
      sightings.watch(name, await this.#enqueue(wire, name, make()))
      const latestMs = this.#clock.wallMs + DELAY_MS
      const window = (): Window => ({
        earliestMs: this.#timeline.reached(earliestMs).earliestMs,
        latestMs: this.#timeline.reached(latestMs).latestMs,
      })
      this.#expected.set(name, { from, window })
    }
    const timeout = { name: 'timeout', leaseMs: 60_000, forMs: LEASE_MS }
    const [kept] = await Promise.all([
      this.#kept(sightings),
      due('run-at', 'scheduled', () => ({ runAtMs: this.#clock.wallMs + DELAY_MS })),
      due('delay', 'scheduled', () => ({ delayMs: DELAY_MS })),
      due('ttl', 'queued', () => ({ ttlMs: DELAY_MS })),
      this.#held(wire, sightings, { name: 'silent', leaseMs: LEASE_MS, forMs: LEASE_MS }),
      this.#held(wire, sightings, timeout, { timeoutMs: LEASE_MS, retry: { baseMs: 60_000 } }),
      this.#failed(wire, sightings),
      this.#enqueue(wire, 'key', { idempotencyKey: 'once' }),
      this.#ended(wire),
      this.#makeIds(wire),
    ])
    this.#claims.push(this.#park(await this.#connect()))
    return kept
  }

  async #kept(sightings: Sightings): Promise<{ readonly wire: WireClient; readonly held: Held }> {
    const wire = await this.#connect()
    await wire.ask({ verb: 'register', name: 'keeper', version: '1', labels: {}, slots: 1 })
    const id = await this.#enqueue(wire, 'kept')
    const held = heldOf((await wire.claim('kept', { leaseMs: LEASE_MS })).tasks[0])
    sightings.watch('kept', id)
    return { wire, held }
  }

  /** A lease that nobody renews, or an attempt that takes too long: over by the tick clock. */
  async #held(
    wire: WireClient,
    sightings: Sightings,
    how: { readonly name: string; readonly leaseMs: number; readonly forMs: number },
    options?: TaskOptions,
  ): Promise<void> {
    const { name, leaseMs, forMs } = how
    const id = await this.#enqueue(wire, name, options)
    const fromMs = performance.now()
    await wire.claim(name, { leaseMs })
    sightings.watch(name, id)
    this.#expectTick(name, 'running', {
      earliestMs: fromMs + forMs,
      latestMs: performance.now() + forMs,
    })
  }

  async #failed(wire: WireClient, sightings: Sightings): Promise<void> {
    const retry = { kind: 'fixed', baseMs: BACKOFF_MS, jitter: 0 } as const
    const id = await this.#enqueue(wire, 'backoff', { retry })
    const held = heldOf((await wire.claim('backoff')).tasks[0])
    const fromMs = performance.now()
    await wire.ask<'fail'>({ verb: 'fail', tasks: [{ ...held, error: { message: 'no' } }] })
    const latestMs = performance.now() + BACKOFF_MS
    sightings.watch('backoff', id)
    this.#expectTick('backoff', 'retrying', { earliestMs: fromMs + BACKOFF_MS, latestMs })
  }

  /** A suspend takes the tick clock along: what waits by it may be due then. Leases are extended. */
  #expectTick(name: string, from: TaskState, of: Window): void {
    const window = (): Window => {
      if (this.#case.kind === 'wall') return of
      if (name === 'backoff') {
        return { ...of, earliestMs: Math.min(of.earliestMs, this.#timeline.firstStepMs) }
      }
      const looks = LOOK_MS * this.#case.steps.length
      return { earliestMs: of.earliestMs - looks, latestMs: of.latestMs + looks }
    }
    this.#expected.set(name, { from, window })
  }

  async #ended(wire: WireClient): Promise<void> {
    await this.#enqueue(wire, 'completed')
    await wire.complete(heldOf((await wire.claim('completed')).tasks[0]))
    await this.#enqueue(wire, 'dead')
    const held = heldOf((await wire.claim('dead')).tasks[0])
    const error = { message: 'no' }
    await wire.ask<'fail'>({ verb: 'fail', tasks: [{ ...held, error, retryable: false }] })
  }

  async #park(wire: WireClient): Promise<void> {
    const fromMs = performance.now()
    const { tasks } = await wire.claim('empty', { waitMs: LEASE_MS })
    const tookMs = performance.now() - fromMs
    const isEarly = this.#case.kind === 'wall' && tookMs < LEASE_MS - EARLY_MS
    this.#law(
      tasks.length === 0 && !isEarly && tookMs < LEASE_MS + LATE_MS,
      () => `a claim that waits for ${LEASE_MS} ms was answered after ${Math.round(tookMs)} ms`,
    )
  }

  async #beat(wire: WireClient, held: Held): Promise<void> {
    while (!this.#isOver) {
      const answer = await wire.ask<'heartbeat'>({ verb: 'heartbeat', leases: [held], received: 1 })
      this.#law(
        answer.stop === undefined,
        () => 'I11: a heartbeat of a live lease was told to stop',
      )
      await passed(BEAT_EVERY_MS)
    }
  }

  async #step(wire: WireClient): Promise<void> {
    const beganMs = performance.now()
    let endMs = beganMs + AFTERMATH_MS
    for (const { atMs, byMs } of this.#case.steps) {
      await passed(beganMs + atMs - performance.now())
      const aheadMs = this.#clock.aheadMs + byMs
      const afterMs = performance.now()
      await this.#clock.stepTo(aheadMs)
      this.#timeline.stepped({ afterMs, beforeMs: performance.now(), aheadMs })
      await this.#makeIds(wire)
      endMs = performance.now() + AFTERMATH_MS
    }
    await passed(endMs - performance.now())
  }

  async #makeIds(wire: WireClient): Promise<void> {
    const tasks = Array.from({ length: 3 }, () => ({ ...aTask('ids'), id: undefined }))
    const { ids = [] } = await wire.ask<'enqueue'>({
      verb: 'enqueue',
      queue: 'ids',
      tasks,
      fresh: true,
    })
    this.#madeIds.push(...ids)
  }

  #checkTimes(sightings: Sightings): void {
    for (const [name, { from, window }] of this.#expected) {
      const { earliestMs, latestMs } = window()
      const { afterMs, beforeMs } = sightings.left(name, from)
      const told = `"${name}" was ${sightings.states(name).join(', ')}`
      const early = Math.round(earliestMs - beforeMs)
      this.#law(early <= EARLY_MS, () => `${told}: over ${early} ms too early`)
      const late = Math.round(afterMs - latestMs)
      this.#law(late <= LATE_MS, () => `${told}: not over ${late} ms after its time`)
    }
    const kept = sightings.states('kept')
    this.#law(kept.at(-1) === 'running', () => `I11: a lease that was renewed: ${kept.join(', ')}`)
    const { output } = this.#broker.process
    const isTroubled = /"event":"(failed|crashed|record-damaged|housekeeping-failed)"/.test(output)
    this.#law(!isTroubled && this.#broker.isRunning, () => `the broker is in trouble:\n${output}`)
  }

  /** What must not be forgotten, whatever the clock shows, and what ids must be. */
  async #checkMemory(wire: WireClient): Promise<void> {
    await this.#makeIds(wire)
    const texts = this.#madeIds.map((id) => Buffer.from(id).toString('hex'))
    this.#law(this.#madeIds.every(isTaskIdBytes), () => 'an id that the broker made is no UUIDv7')
    this.#law(new Set(texts).size === texts.length, () => 'I24: the broker made an id twice')
    const again = await wire
      .ask<'enqueue'>({ verb: 'enqueue', queue: 'key', tasks: [keyed()], fresh: true })
      .then(({ existing }) => existing?.length === 1)
    this.#law(again, () => 'I6: an idempotency key was forgotten within its window')
    for (const name of ['completed', 'dead'] as const) {
      const { tasks } = await wire.ask<'list'>({ verb: 'list', queue: name, limit: 10 })
      this.#law(tasks.length === 1, () => `I1: a ${name} task was forgotten within its retention`)
    }
  }

  /** The broker starts where the wall clock shows less than its store has seen. */
  async #checkRestart(before: WireClient): Promise<void> {
    await this.#enqueue(before, 'held')
    const held = heldOf((await before.claim('held', { leaseMs: 60_000 })).tasks[0])
    await this.#broker.kill()
    const isSuspend = this.#case.kind === 'suspend'
    await this.#clock.stepTo(isSuspend ? this.#clock.aheadMs : this.#clock.aheadMs - HOUR_MS)
    await this.#broker.start({ env: this.#clock.env })
    const wire = await this.#connect()
    const completed = await wire.complete(held).then(({ ok }) => ok)
    this.#law(completed === 1, () => 'I11: a live lease did not outlive the restart')
    const code = await refusalOf(wire.complete({ ...held, token: held.token - 1 }))
    this.#law(code.includes('STALE_LEASE'), () => `I3: an older token was ${code}`)
    await this.#enqueue(wire, 'after')
    const task = (await wire.claim('after')).tasks[0] as ClaimedTask
    this.#law(task[1] > held.token, () => 'I4: a token did not grow over the restart')
    await this.#checkMemory(wire)
  }

  async #enqueue(wire: WireClient, queue: string, options?: TaskOptions): Promise<TaskIdBytes> {
    const task = queue === 'key' ? keyed() : aTask(queue, { ...(options && { options }) })
    await wire.enqueue(queue, [task])
    return task.id as TaskIdBytes
  }

  async #connect(): Promise<WireClient> {
    const wire = await this.#broker.connect()
    this.#wires.push(wire)
    return wire
  }

  #law(holds: boolean, told: () => string): void {
    if (!holds) this.violations.push(`${this.#case.name}: ${told()}`)
  }
}

/** The same request each time; its id is new. */
function keyed(): ReturnType<typeof aTask> {
  return { ...aTask('key'), payload: encodePayload('once'), options: { idempotencyKey: 'once' } }
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
