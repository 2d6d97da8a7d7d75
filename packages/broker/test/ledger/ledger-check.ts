// Compares a broker that was started again with what is written down, and settles what was unknown.

import { limits, type ReplyOf, type RequestOf, type TaskDescription } from '@tq/core'
import { type Book, type Gate, heldOf, noFindings, type OpenRequest } from './book.ts'
import {
  ABSENT,
  type Change,
  hashOf,
  hexOf,
  isSame,
  type LedgerTask,
  type Standing,
  standingOf,
  textOf,
} from './ledger-task.ts'
import type { LedgerReport } from './ledger-report.ts'
import type { Line } from './line.ts'

/** Requests that are under way at once; a broker takes 256 of a connection. */
const WINDOW = 100
/** Requests whose outcome was unknown that are sent again: each must lead to its tasks. */
const RESENT_MAX = 100
/** Leases that are taken and given back to see new tokens. */
const PROBES_MAX = 8
/** How much of an endless list of findings anybody reads. */
const FINDINGS_MAX = 50

export interface CheckParts {
  readonly book: Book
  readonly line: Line
  readonly queues: readonly string[]
}

export class LedgerCheck {
  readonly #parts: CheckParts
  readonly #orphanSessions: ReadonlySet<string>
  #orphanCount = 0

  constructor(parts: CheckParts) {
    this.#parts = parts
    this.#orphanSessions = new Set(parts.book.openClaims.map(({ session }) => session))
  }

  /** Everything is read before anything is changed. @throws if the broker goes away meanwhile. */
  async run(): Promise<LedgerReport> {
    const { book } = this.#parts
    book.tokenFloor = book.tokenMax
    await this.#checkLsn()
    await each(book.tasks.values(), (task) => this.#checkTask(task))
    this.#checkOrphans()
    for (const gate of book.gates.values()) await this.#checkGate(gate)
    await this.#checkList()
    const { openRequests } = book
    this.#checkBatches(openRequests)
    this.#settle()
    await this.#sendAgain(openRequests)
    await this.#probeTokens()
    return this.#report(openRequests)
  }

  /** What was acknowledged came in a commit, and none of these is missing. I8. */
  async #checkLsn(): Promise<void> {
    const { book } = this.#parts
    const { broker } = await this.#ask<'stats'>({ verb: 'stats' })
    if (broker.lsn >= book.lsn) return
    book.findings.lost.push(`commits from ${broker.lsn + 1} to ${book.lsn}`)
  }

  async #checkTask(task: LedgerTask): Promise<void> {
    const { book } = this.#parts
    const description = await this.#describe(task)
    const found = description === undefined ? ABSENT : standingOf(description)
    const { standing, pending } = task
    if (pending !== undefined) {
      const isAfter = this.#explains(pending.after, found, task)
      pending.verdict ??= isAfter ? 'taken' : 'not taken'
      if (isAfter) this.#adopt(task, pending.after, found)
      else if (this.#explains(standing, found, task)) this.#adopt(task, standing, found)
      else this.#contradicts(task, found, ` or ${textOf(pending.after)}`)
    } else if (this.#explains(standing, found, task)) this.#adopt(task, standing, found)
    else this.#contradicts(task, found, '')
    if (description !== undefined) this.#checkContent(task, description)
    task.pending = undefined
    task.standing = found
    book.tokenMax = Math.max(book.tokenMax, task.token)
  }

  /** As it should stand, or leased since by a claim whose reply was lost. */
  #explains(expected: Standing, found: Standing, task: LedgerTask): boolean {
    if (isSame(expected, found)) return true
    if (expected.kind !== 'waiting' || found.kind !== 'held') return false
    if (!this.#orphanSessions.has(found.session) || found.token <= task.token) return false
    return found.failures === expected.failures && !found.cancelRequested
  }

  #adopt(task: LedgerTask, expected: Standing, found: Standing): void {
    if (found.kind !== 'held' || isSame(expected, found)) return
    this.#orphanCount += 1
    task.token = found.token
  }

  #contradicts(task: LedgerTask, found: Standing, orElse: string): void {
    const { findings } = this.#parts.book
    const expected = textOf(task.standing) + orElse
    const text = `${task.key} of ${task.queue}, LSN ${task.lsn}: is ${textOf(found)}, not ${expected}`
    if (found.kind === 'absent') findings.lost.push(text)
    else findings.wrong.push(text)
  }

  /** I25, and the content of what was acknowledged. */
  #checkContent(task: LedgerTask, description: TaskDescription): void {
    const { queue, payload, idempotencyKey, losses } = description
    const isWhole =
      queue === task.queue &&
      idempotencyKey === task.idempotencyKey &&
      payload !== undefined &&
      hashOf(payload) === task.payloadHash
    if (isWhole && losses === 0) return
    this.#parts.book.findings.wrong.push(`${task.key} has other content than was enqueued`)
  }

  /** A claim whose reply was lost leased no more than it asked for. */
  #checkOrphans(): void {
    const { book } = this.#parts
    const most = book.openClaims.reduce((sum, { max }) => sum + max, 0)
    if (this.#orphanCount <= most) return
    book.findings.wrong.push(`${this.#orphanCount} leases of claims that asked for ${most}`)
  }

  async #checkGate(gate: Gate): Promise<void> {
    const { book, line } = this.#parts
    const answer = await line.ask<'stats'>({ verb: 'stats', queue: gate.queue })
    if (answer.kind === 'gone') throw new Error('the broker has gone during the check')
    const found = answer.kind === 'reply' ? answer.result.queues[0]?.paused : undefined
    // A shelved task creates the queue as well.
    const isNew = gate.paused === undefined && found === false
    const isExplained = found === gate.paused || found === gate.pending || isNew
    if (!isExplained) {
      book.findings.wrong.push(`${gate.queue}: paused is ${found}, not ${gate.paused}`)
    }
    gate.pending = undefined
    gate.paused = found
  }

  async #checkList(): Promise<void> {
    const { book, queues } = this.#parts
    for (const queue of [...queues, ...book.gates.keys()]) {
      let cursor: string | undefined
      do {
        const rest = cursor === undefined ? {} : { cursor }
        const limit = limits.LIST_ROWS_MAX
        const page: ReplyOf<'list'> = await this.#ask({ verb: 'list', queue, limit, ...rest })
        for (const { id, state } of page.tasks) {
          const task = book.tasks.get(hexOf(id))
          if (task !== undefined && task.standing.kind !== 'absent') continue
          book.findings.unexpected.push(`${hexOf(id)} in ${queue} is ${state}`)
        }
        cursor = page.cursor ?? undefined
      } while (cursor !== undefined)
    }
  }

  /** One request is one atomic group. I7. */
  #checkBatches(requests: readonly OpenRequest[]): void {
    for (const { request, changes } of requests) {
      const takenCount = changes.filter(isTaken).length
      if (takenCount === 0 || takenCount === changes.length) continue
      const parts = changes.map(({ task, verdict }) => `${task.key} ${verdict}`).join(', ')
      this.#parts.book.findings.halfBatches.push(`${request.verb}: ${parts}`)
    }
  }

  #settle(): void {
    const { book } = this.#parts
    book.openRequests = []
    book.openClaims = []
    book.idle.length = 0
    for (const task of book.tasks.values()) {
      task.isIdle = false
      book.putIdle(task)
    }
  }

  /** The same ids again: those that are there are known again, those that are not are made. I24. */
  async #sendAgain(requests: readonly OpenRequest[]): Promise<void> {
    const { book, line } = this.#parts
    const enqueues = requests.filter(({ request }) => request.verb === 'enqueue')
    for (const { request, changes, sentAtMs } of enqueues.slice(0, RESENT_MAX)) {
      const sentAgoMs = Math.ceil(performance.now() - sentAtMs)
      const again = { ...(request as RequestOf<'enqueue'>), fresh: false, sentAgoMs }
      const missing = changes.filter((change) => !isTaken(change))
      const effects = missing.map(({ task }) => [task, { kind: 'waiting', failures: 0 }] as const)
      const reply = await book.change<'enqueue'>(line, again, effects)
      if (line.isGone) throw new Error('the broker has gone during the check')
      if (reply === undefined) continue
      const expected = changes.flatMap((change, index) => (isTaken(change) ? [index] : []))
      if (isSameList(reply.existing ?? [], expected)) continue
      book.findings.wrong.push(
        `sent again, an enqueue found [${reply.existing?.join()}], not [${expected.join()}]`,
      )
    }
  }

  /** New leases have tokens above all that were seen before. I4. */
  async #probeTokens(): Promise<void> {
    const { book, line, queues } = this.#parts
    const tasks = await book.claim(line, {
      verb: 'claim',
      queues,
      max: PROBES_MAX,
      waitMs: 0,
      leaseMs: limits.LEASE_MS_MAX,
      start: true,
      claim: 1,
      order: 'round',
    })
    if (tasks.length === 0) return
    const effects = tasks.map((task) => {
      return [task, { kind: 'waiting', failures: heldOf(task).failures }] as const
    })
    const items = tasks.map((task) => ({ id: task.id, token: heldOf(task).token }))
    const reply = await book.change<'release'>(line, { verb: 'release', tasks: items }, effects)
    book.expectItems('release', reply)
    if (line.isGone) throw new Error('the broker has gone during the check')
  }

  #report(requests: readonly OpenRequest[]): LedgerReport {
    const { book } = this.#parts
    const { findings } = book
    book.findings = noFindings()
    const unknown = requests.length + book.otherUnknownCount
    book.otherUnknownCount = 0
    return {
      acknowledged: book.acknowledgedCount,
      unknown,
      unknownTaken: requests.filter(({ changes }) => changes.some(isTaken)).length,
      refused: book.refusedCount,
      tasks: book.tasks.size,
      lost: findings.lost.slice(0, FINDINGS_MAX),
      halfBatches: findings.halfBatches.slice(0, FINDINGS_MAX),
      wrong: findings.wrong.slice(0, FINDINGS_MAX),
      tokenRepeats: findings.tokenRepeats.slice(0, FINDINGS_MAX),
      unexpected: findings.unexpected.slice(0, FINDINGS_MAX),
    }
  }

  async #describe({ id }: LedgerTask): Promise<TaskDescription | undefined> {
    const answer = await this.#parts.line.ask<'get'>({ verb: 'get', id, payload: true })
    if (answer.kind === 'reply') return answer.result
    if (answer.kind === 'refusal' && answer.error.code === 'NOT_FOUND') return undefined
    throw answer.kind === 'refusal' ? answer.error : new Error('the broker has gone')
  }

  async #ask<V extends 'stats' | 'list'>(request: RequestOf<V>): Promise<ReplyOf<V>> {
    const answer = await this.#parts.line.ask<V>(request)
    if (answer.kind === 'reply') return answer.result
    throw answer.kind === 'refusal' ? answer.error : new Error('the broker has gone')
  }
}

function isTaken({ verdict }: Change): boolean {
  return verdict === 'taken'
}

function isSameList(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}

/** Calls for all of them, a window at a time. */
async function each<T>(items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const walk = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      await act(next.value)
    }
  }
  await Promise.all(Array.from({ length: WINDOW }, walk))
}
