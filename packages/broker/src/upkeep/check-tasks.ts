// Live and ended tasks: each record by itself, and with all that must be there beside it.

import type { EndedTask } from '../engine/fact.ts'
import { hexOf } from '../engine/held.ts'
import { keptHistoryKeys } from '../storage/history-record.ts'
import { doneByEndKey, type Family, parseDoneByEndKey, taskKey } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import type { TaskCore } from '../storage/task-record.ts'
import type { Survey } from './survey.ts'
import { type LiveTask, nameOfTask, readEnded, readLive } from './task-reading.ts'

/** Counts that a scan gives, by queue and state. */
export type StateCounts = Map<string, Map<string, number>>

export class TaskCheck {
  readonly #survey: Survey
  readonly byState: StateCounts = new Map()
  #sequences = new Float64Array(1_024)
  #sequenceCount = 0

  constructor(survey: Survey) {
    this.#survey = survey
  }

  async run(): Promise<void> {
    await this.#eachPage('task', async (page) => {
      const expected = new Companions()
      for (const entry of page) this.#live(entry, expected)
      await this.#compare(expected)
    })
    await this.#eachPage('done', async (page) => {
      const expected = new Companions()
      for (const entry of page) this.#ended(entry, expected)
      await this.#compare(expected)
    })
    await this.#eachPage('doneByEnd', (page) => this.#ends(page))
    this.#checkSequences()
  }

  async #eachPage(family: Family, visit: (page: readonly Entry[]) => Promise<void>): Promise<void> {
    for await (const page of this.#survey.pages(family)) await visit(page)
  }

  #live(entry: Entry, expected: Companions): void {
    const survey = this.#survey
    const [key] = entry
    const name = (): string => nameOfTask(key)
    const task = survey.read(name, key, () => readLive(entry, (text) => survey.profileOf(text)))
    if (task === undefined) return
    this.#count(task.profile.queue.name, task.core.state)
    this.#checkCore(key, task.core)
    this.#checkLive(key, task)
    const payload = 'has lost its payload: it becomes dead when it is claimed (unreadable_payload)'
    expected.add(key, taskKey('payload', task.id), { what: payload, advice: ADVICE.payload })
    expected.chapters(key, task.id, task.core.chapters)
    expected.forbid(key, taskKey('done', task.id), 'has ended and is live at once')
  }

  #checkLive(key: Uint8Array, { core, lease, profile }: LiveTask): void {
    const { findings, sessions, engine } = this.#survey
    const name = nameOfTask(key)
    if (core.failures >= profile.maxAttempts || core.losses >= profile.maxLost) {
      findings.add('contradiction', `${name} is live, though it has no attempt left`, key)
    }
    if (lease === undefined) return
    if (!sessions.has(hexOf(lease.session))) {
      const text = `${name} is held by session ${hexOf(lease.session)}, which is not known`
      findings.add('missing', text, key)
    }
    if (engine !== undefined && lease.token > engine.lastToken) {
      const text = `${name} has the token ${lease.token}, the last that was given is ${engine.lastToken}`
      findings.add('contradiction', text, key)
    }
  }

  #ended(entry: Entry, expected: Companions): void {
    const survey = this.#survey
    const [key] = entry
    const name = (): string => nameOfTask(key)
    const task = survey.read(name, key, () => readEnded(entry, (text) => survey.profileOf(text)))
    if (task === undefined) return
    this.#count(task.profile.queue.name, task.end.state)
    this.#checkCore(key, task)
    const payload = 'has lost its payload: the rest of it can be looked at'
    expected.add(key, taskKey('payload', task.id), { what: payload, advice: ADVICE.endedPayload })
    expected.chapters(key, task.id, task.chapters)
    const unordered = 'is not in the order of ends, so it would be kept for ever'
    expected.add(key, byEndKeyOf(task), { what: unordered, advice: ADVICE.end })
    const token = task.end.attempt?.token ?? 0
    if (survey.engine === undefined || token <= survey.engine.lastToken) return
    const text = `${name()} ended under the token ${token}, the last that was given is ${survey.engine.lastToken}`
    survey.findings.add('contradiction', text, key)
  }

  #checkCore(key: Uint8Array, { sequence }: Pick<TaskCore, 'sequence'>): void {
    const { engine, findings } = this.#survey
    this.#note(sequence)
    if (engine === undefined || sequence < engine.nextSequence) return
    const text = `${nameOfTask(key)} has the sequence ${sequence}, the next to be given is ${engine.nextSequence}`
    findings.add('contradiction', text, key)
  }

  async #compare({ wanted, forbidden }: Companions): Promise<void> {
    const { reader, findings } = this.#survey
    const found = await reader.getMany(wanted.map(({ key }) => key))
    for (const [index, { key, owner, what, advice }] of wanted.entries()) {
      if (found[index] !== undefined) continue
      findings.add('missing', `${nameOfTask(owner)} ${what}`, key, advice)
    }
    const there = await reader.getMany(forbidden.map(({ key }) => key))
    for (const [index, { key, owner, what }] of forbidden.entries()) {
      if (there[index] === undefined) continue
      findings.add('contradiction', `${nameOfTask(owner)} ${what}`, key)
    }
  }

  /** Entries of the order of ends, each against the ended task that it stands for. */
  async #ends(page: readonly Entry[]): Promise<void> {
    const survey = this.#survey
    const keys = page.map(([key]) => taskKey('done', parseDoneByEndKey(key).id))
    const values = await survey.reader.getMany(keys)
    for (const [index, [key]] of page.entries()) {
      const doneKey = keys[index]
      const value = values[index]
      if (doneKey === undefined) continue
      if (value === undefined) {
        const text = `${nameOfTask(key)} is in the order of ends, and is not kept`
        survey.findings.add('stray', text, key)
        continue
      }
      if (byEndMatches(survey, key, [doneKey, value])) continue
      const text = `${nameOfTask(key)} is in the order of ends under a moment, queue or class that is not its own`
      survey.findings.add('contradiction', text, key)
    }
  }

  #count(queue: string, state: string): void {
    const counts = this.byState.get(queue) ?? new Map<string, number>()
    counts.set(state, (counts.get(state) ?? 0) + 1)
    this.byState.set(queue, counts)
  }

  #note(sequence: number): void {
    if (this.#sequenceCount === this.#sequences.length) {
      const larger = new Float64Array(2 * this.#sequences.length)
      larger.set(this.#sequences)
      this.#sequences = larger
    }
    this.#sequences[this.#sequenceCount] = sequence
    this.#sequenceCount += 1
  }

  /** Equals go first in, first out by their sequence: no two tasks have the same. */
  #checkSequences(): void {
    const sorted = this.#sequences.subarray(0, this.#sequenceCount).sort()
    for (let index = 1; index < sorted.length; index += 1) {
      if (sorted[index] !== sorted[index - 1]) continue
      this.#survey.findings.add('contradiction', `two tasks have the sequence ${sorted[index]}`)
    }
  }
}

const ADVICE = {
  payload: 'restore a backup to have it back; or enqueue it again, where it came from',
  endedPayload: 'restore a backup to have it back; else nothing has to be done',
  chapter: 'nothing has to be done: the history is shown without it',
  end: 'nothing has to be done; salvage into a new directory puts it in order',
} as const

interface Want {
  readonly what: string
  /** What to do if it is not there. */
  readonly advice: string
}

interface Companion extends Want {
  readonly owner: Uint8Array
  readonly key: Uint8Array
}

/** What must stand beside the tasks of a page, and what must not. */
class Companions {
  readonly wanted: Companion[] = []
  readonly forbidden: Omit<Companion, 'advice'>[] = []

  chapters(owner: Uint8Array, id: Uint8Array, count: number): void {
    const want = { what: 'has lost a chapter of its history', advice: ADVICE.chapter }
    for (const key of keptHistoryKeys(id, count)) this.add(owner, key, want)
  }

  add(owner: Uint8Array, key: Uint8Array, want: Want): void {
    this.wanted.push({ owner, key, ...want })
  }

  forbid(owner: Uint8Array, key: Uint8Array, what: string): void {
    this.forbidden.push({ owner, key, what })
  }
}

export function byEndKeyOf({ id, profile, end }: EndedTask): Uint8Array {
  const { slot, number: queueNumber } = profile.queue
  const endClass = end.state === 'dead' ? 'dead' : 'done'
  return doneByEndKey({ slot, queueNumber, endClass, endMs: end.atMs, id })
}

/** True as well if the ended task itself is damaged: that is found elsewhere. */
function byEndMatches(survey: Survey, key: Uint8Array, done: Entry): boolean {
  try {
    const ended = readEnded(done, (text) => survey.profileOf(text))
    return Buffer.compare(byEndKeyOf(ended), key) === 0
  } catch {
    return true
  }
}
