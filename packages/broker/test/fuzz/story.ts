// A story: what several connections send to one broker, step by step, and the laws that must hold.

import { FuzzBroker } from './fuzz-broker.ts'
import { type Answer, FuzzClient } from './fuzz-client.ts'
import { type Expectation, type Expected, expectationOf } from './expectation.ts'
import { HANG_CPU_MS, InputWatch } from './input-watch.ts'

/** Connections of a story; two of them speak for the same session. */
export const CONNECTIONS = 4
/** What a step that took too long is called; a busy machine may be the reason. */
export const SLOW = 'a step took'
const GREETING_ID = 4_000_000_000
/** Steps until the code of the broker is compiled, and shows how fast it is. */
const WARM_UP_STEPS = 50

export interface Step {
  readonly connection: number
  /** All in one write. */
  readonly bytes: Uint8Array
  /** True: before any greeting, on a connection of its own. */
  readonly isStranger: boolean
}

export interface StepResult {
  readonly answers: readonly Answer[]
  /** Requests were carried out, but their connection ended before their answers left. */
  readonly isCutOff: boolean
}

export class StoryRunner {
  readonly #broker: FuzzBroker
  readonly #clients: (FuzzClient | undefined)[] = []
  readonly #bystander: FuzzClient
  readonly #watch: InputWatch
  #lastPing = GREETING_ID + 1
  #stepCount = 0
  refusedCount = 0
  acceptedCount = 0

  static async start(watch = new InputWatch()): Promise<StoryRunner> {
    const broker = await FuzzBroker.start()
    const bystander = await FuzzClient.connect(broker.address, sessionOf(99))
    bystander.greet(GREETING_ID)
    return new StoryRunner(broker, bystander, watch)
  }

  private constructor(broker: FuzzBroker, bystander: FuzzClient, watch: InputWatch) {
    this.#broker = broker
    this.#bystander = bystander
    this.#watch = watch
  }

  /** Carries out a step. @throws {Error} naming the law that was broken. */
  async run(step: Step): Promise<StepResult> {
    this.#stepCount += 1
    const client = step.isStranger
      ? await FuzzClient.connect(this.#broker.address, sessionOf(50))
      : await this.#client(step.connection)
    await this.#broker.settle()
    const before = this.#broker.dump()
    const expectation = expectationOf(step.bytes)
    this.#watch.begin()
    client.write(step.bytes)
    const result = step.isStranger
      ? await this.#afterStranger(client)
      : await this.#after(client, step, expectation)
    const { cpuMs } = this.#watch.end()
    this.#requireLife()
    const after = this.#broker.dump()
    this.#check(client, cpuMs)
    if (!mayHaveChanged(result) && before !== after) {
      throw new Error(`a refused step has changed the state: ${difference(before, after)}`)
    }
    this.#count(result.answers)
    await this.#requireBystander()
    return result
  }

  async stop(): Promise<void> {
    for (const client of [...this.#clients, this.#bystander]) client?.destroy()
    await this.#broker.stop()
  }

  async #client(index: number): Promise<FuzzClient> {
    const known = this.#clients[index]
    if (known !== undefined) return known
    // The last two connections share a session.
    const client = await FuzzClient.connect(
      this.#broker.address,
      sessionOf(Math.min(index, CONNECTIONS - 2)),
    )
    client.greet(GREETING_ID)
    if (!(await this.#broker.until(() => client.has(GREETING_ID)))) {
      throw new Error('a greeting was not answered')
    }
    client.take()
    this.#clients[index] = client
    return client
  }

  async #after(client: FuzzClient, step: Step, expectation: Expectation): Promise<StepResult> {
    if (expectation.outcome !== 'open') this.#clients[step.connection] = undefined
    if (expectation.outcome === 'amid') {
      // The rest will never come.
      await this.#broker.settle()
      await this.#requireAnswers(client, expectation.answers)
      const answers = client.take()
      client.destroy()
      return { answers, isCutOff: false }
    }
    await this.#requireAnswers(client, expectation.answers)
    if (expectation.outcome === 'ended') {
      if (!(await this.#broker.until(() => client.isEnded))) {
        throw new Error('the broker goes on with a connection that has lost its place')
      }
    } else {
      await this.#requirePing(client)
    }
    await this.#broker.settle()
    const answers = client.take()
    requireExpected(answers, expectation)
    if (expectation.outcome === 'ended') client.destroy()
    const isCutOff =
      expectation.outcome === 'ended' &&
      expectation.answers.some(({ kind }) => kind === 'any-answer')
    return { answers, isCutOff }
  }

  /** Any answer but a greeting's ends a connection that has not greeted. */
  async #afterStranger(client: FuzzClient): Promise<StepResult> {
    await this.#broker.settle()
    await this.#broker.settle()
    const answers = client.take()
    const isRefused = answers.some(({ kind }) => kind === 'refusal')
    if (isRefused && !(await this.#broker.until(() => client.isEnded))) {
      throw new Error('a refused stranger is still connected')
    }
    const isGreeted = answers[0]?.kind === 'reply'
    if (!isGreeted && answers.some(({ kind }) => kind === 'reply')) {
      throw new Error('a stranger got an answer')
    }
    client.destroy()
    return { answers, isCutOff: false }
  }

  async #requireAnswers(client: FuzzClient, expected: readonly Expected[]): Promise<void> {
    await this.#broker.settle()
    this.#requireLife()
    const ids = new Set(expected.filter((one) => !mayPark(one)).map(({ id }) => id))
    const isAnswered = await this.#broker.until(
      () => client.isEnded || [...ids].every((id) => client.has(id)),
    )
    if (!isAnswered) throw new Error(`requests ${[...ids].join(', ')} were not answered`)
  }

  async #requirePing(client: FuzzClient): Promise<void> {
    this.#lastPing += 1
    const id = this.#lastPing
    client.send(id, { verb: 'ping' })
    if (await this.#broker.until(() => client.isEnded || client.has(id))) return
    throw new Error('a connection that should go on does not answer')
  }

  /** Somebody who has nothing to do with it is served all the time. */
  async #requireBystander(): Promise<void> {
    await this.#requirePing(this.#bystander)
    this.#bystander.take()
    if (this.#bystander.isEnded) throw new Error('another connection was ended')
  }

  #requireLife(): void {
    if (this.#broker.failure !== undefined) throw new Error(`it crashed: ${this.#broker.failure}`)
  }

  #check(client: FuzzClient, cpuMs: number): void {
    if (client.malformed !== undefined) throw new Error(`malformed answer: ${client.malformed}`)
    if (cpuMs > HANG_CPU_MS && this.#stepCount > WARM_UP_STEPS) {
      throw new Error(`${SLOW} ${Math.round(cpuMs)} ms of CPU`)
    }
  }

  #count(answers: readonly Answer[]): void {
    for (const { kind } of answers) {
      if (kind === 'refusal') this.refusedCount += 1
      else this.acceptedCount += 1
    }
  }
}

/** Plays a whole story on a broker of its own; the law that was broken, or undefined. */
export async function play(steps: readonly Step[]): Promise<string | undefined> {
  const runner = await StoryRunner.start()
  try {
    for (const step of steps) await runner.run(step)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await runner.stop()
  }
}

export function storyText(steps: readonly Step[]): string {
  return steps
    .map(({ connection, bytes, isStranger }) => {
      const who = isStranger ? 'stranger' : String(connection)
      return `${who} ${Buffer.from(bytes).toString('hex')}\n`
    })
    .join('')
}

export function parseStory(text: string): Step[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [who = '', hex = ''] = line.split(' ')
    const isStranger = who === 'stranger'
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'))
    return { connection: isStranger ? 0 : Number(who), bytes, isStranger }
  })
}

/** Each expected answer came, once, and nothing else but answers to what was parked before. */
function requireExpected(answers: readonly Answer[], expectation: Expectation): void {
  for (const expected of expectation.answers) {
    if (mayPark(expected)) continue
    // At its end a connection hears why, and nothing else that is still under way.
    if (expectation.outcome === 'ended' && expected.id !== 0) continue
    const same = answers.filter(({ id }) => id === expected.id)
    const isDouble = expectation.answers.filter(({ id }) => id === expected.id).length > 1
    if (same.length === 0) throw new Error(`request ${expected.id} was not answered`)
    if (isDouble || expected.kind === 'any-answer') continue
    const [answer] = same
    // A connection that was at its end may have refused something else under id 0.
    const isRight = answer?.kind === 'refusal' && answer.error.code === expected.code
    if (!isRight) {
      throw new Error(`request ${expected.id} should be refused with ${expected.code}`)
    }
  }
}

function mayPark(expected: Expected): boolean {
  if (expected.kind === 'refusal') return false
  const { request } = expected
  return (request.verb === 'claim' || request.verb === 'wait') && request.waitMs > 0
}

/** A step may change the state only if something of it was carried out. */
function mayHaveChanged({ answers, isCutOff }: StepResult): boolean {
  if (isCutOff) return true
  return answers.some((answer) => answer.kind === 'reply' && !isAllRefused(answer.result))
}

function isAllRefused(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false
  const { ok, already, refused } = result as Record<string, unknown>
  return ok === 0 && already === undefined && Array.isArray(refused)
}

function sessionOf(number: number): Uint8Array {
  return new Uint8Array(16).fill(number + 1)
}

function difference(before: string, after: string): string {
  let at = 0
  while (at < before.length && before[at] === after[at]) at += 1
  return `…${before.slice(Math.max(0, at - 80), at + 120)} became …${after.slice(at, at + 120)}`
}
