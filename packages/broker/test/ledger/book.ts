// What the ledger has written down: tasks, gates, and requests that nobody has answered.

import type { ClaimedTask, ReplyOf, RequestOf, TqError, Verb } from '@tq/core'
import {
  type Change,
  hashOf,
  type HeldStanding,
  hexOf,
  type LedgerTask,
  type Standing,
  textOf,
} from './ledger-task.ts'
import type { Line } from './line.ts'

/** A request that changes tasks, while it has no answer. */
export interface OpenRequest {
  readonly request: RequestOf<Verb>
  readonly changes: readonly Change[]
  readonly sentAtMs: number
}

/** A claim without an answer: its leases are the session's, under tokens that nobody knows. */
export interface OpenClaim {
  readonly session: string
  readonly max: number
}

/** A queue that is never claimed, but paused and resumed. */
export interface Gate {
  readonly queue: string
  /** Undefined while it does not exist. */
  paused: boolean | undefined
  pending: boolean | undefined
}

export interface Findings {
  readonly lost: string[]
  readonly halfBatches: string[]
  readonly wrong: string[]
  readonly tokenRepeats: string[]
  readonly unexpected: string[]
}

export class Book {
  readonly tasks = new Map<string, LedgerTask>()
  readonly gates = new Map<string, Gate>()
  /** Tasks that are held, for whoever wants to end one. */
  readonly idle: LedgerTask[] = []
  openRequests: OpenRequest[] = []
  openClaims: OpenClaim[] = []
  findings: Findings = noFindings()
  acknowledgedCount = 0
  refusedCount = 0
  /** Of requests that changed no task, such as a pause. */
  otherUnknownCount = 0
  lsn = 0
  tokenMax = 0
  /** The greatest token that was seen before the last restart. */
  tokenFloor = 0
  /** When the last acknowledgement came, by the wall's clock. */
  lastAckAtMs = 0

  /** Asks for what changes tasks, and writes down what came of it; undefined without a reply. */
  async change<V extends Verb>(
    line: Line,
    request: RequestOf<V>,
    effects: readonly (readonly [task: LedgerTask, after: Standing])[],
  ): Promise<ReplyOf<V> | undefined> {
    const changes = effects.map(([task, after]): Change => ({ task, after, verdict: undefined }))
    const open = { request, changes, sentAtMs: performance.now() }
    for (const change of changes) {
      change.task.pending = change
      change.task.isIdle = false
    }
    const answer = await line.ask<V>(request)
    switch (answer.kind) {
      case 'gone':
        this.openRequests.push(open)
        return undefined
      case 'refusal':
        this.#refused(open, answer.error)
        return undefined
      case 'reply':
        this.noteAck(answer.lsn)
        for (const change of changes) this.#carriedOut(change, answer.lsn)
        return answer.result
    }
  }

  async claim(line: Line, request: RequestOf<'claim'>): Promise<readonly LedgerTask[]> {
    const answer = await line.ask<'claim'>(request)
    if (answer.kind === 'refusal') this.#refusedOther(answer.error, 'claim')
    if (answer.kind === 'gone') {
      this.openClaims.push({ session: hexOf(line.session), max: request.max })
    }
    if (answer.kind !== 'reply') return []
    this.noteAck(answer.lsn)
    const session = hexOf(line.session)
    return answer.result.tasks.flatMap((claimed) => this.#leased(claimed, session, answer.lsn))
  }

  /** Asks for what changes no task. */
  async other<V extends Verb>(
    line: Line,
    request: RequestOf<V>,
  ): Promise<ReplyOf<V> | 'gone' | 'refused'> {
    const answer = await line.ask<V>(request)
    if (answer.kind === 'reply') {
      this.noteAck(answer.lsn)
      return answer.result
    }
    if (answer.kind === 'gone') {
      this.otherUnknownCount += 1
      return 'gone'
    }
    this.#refusedOther(answer.error, request.verb)
    return 'refused'
  }

  /** Takes a held task that nobody is busy with. */
  takeIdle(at: number): LedgerTask | undefined {
    const task = this.idle[at]
    const last = this.idle.pop()
    if (task === undefined || last === undefined) return undefined
    if (last !== task) this.idle[at] = last
    const isFree = task.isIdle && task.standing.kind === 'held' && task.pending === undefined
    task.isIdle = false
    return isFree ? task : undefined
  }

  putIdle(task: LedgerTask): void {
    if (task.isIdle || task.pending !== undefined || task.standing.kind !== 'held') return
    task.isIdle = true
    this.idle.push(task)
  }

  noteAck(lsn: number): void {
    this.acknowledgedCount += 1
    this.lastAckAtMs = Date.now()
    this.lsn = Math.max(this.lsn, lsn)
  }

  /** A token that was not seen before; says if it repeats or goes back. */
  noteToken(task: LedgerTask, token: number): void {
    const floor = Math.max(this.tokenFloor, task.token)
    if (token <= floor) {
      this.findings.tokenRepeats.push(`task ${task.key} got ${token} after ${floor}`)
    }
    task.token = token
    this.tokenMax = Math.max(this.tokenMax, token)
  }

  /** All items of this answer must have gone well, now and not before. */
  expectItems(verb: string, reply: ReplyOf<'complete'> | undefined): void {
    if (reply?.already === undefined && reply?.refused === undefined) return
    this.findings.wrong.push(`${verb} was answered with ${JSON.stringify(reply)}`)
  }

  #leased(claimed: ClaimedTask, session: string, lsn: number): LedgerTask[] {
    const [id, token, queue, , attempt, payload] = claimed
    const task = this.tasks.get(hexOf(id))
    if (task === undefined) {
      this.findings.unexpected.push(`${hexOf(id)} was leased`)
      return []
    }
    // The reply to what made it ready is still on its way to somebody else, or was lost.
    if (task.pending?.after.kind === 'waiting') this.#carriedOut(task.pending, lsn)
    const { standing, key } = task
    if (standing.kind === 'waiting') {
      if (attempt !== standing.failures + 1) {
        this.findings.wrong.push(
          `${key} was leased as attempt ${attempt}, being ${textOf(standing)}`,
        )
      }
    } else {
      this.findings.wrong.push(`${key} was leased, but it is ${textOf(standing)}`)
    }
    if (queue !== task.queue || hashOf(payload) !== task.payloadHash) {
      this.findings.wrong.push(`${key} was leased with another payload or queue than it had`)
    }
    this.noteToken(task, token)
    const failures = attempt - 1
    task.standing = { kind: 'held', failures, token, session, cancelRequested: false }
    task.lsn = lsn
    this.putIdle(task)
    return [task]
  }

  #carriedOut(change: Change, lsn: number): void {
    change.verdict = 'taken'
    const { task } = change
    // Somebody has gone on from there already.
    if (task.pending !== change) return
    task.pending = undefined
    task.standing = change.after
    task.lsn = lsn
  }

  #refused(open: OpenRequest, error: TqError): void {
    this.refusedCount += 1
    if (error.code === 'OUTCOME_UNKNOWN') {
      this.openRequests.push(open)
      return
    }
    if (!error.retryable) this.findings.wrong.push(`${open.request.verb}: ${error.message}`)
    for (const change of open.changes) {
      if (change.verdict === 'taken') {
        this.findings.wrong.push(`${open.request.verb} was refused and yet carried out`)
      }
      change.verdict = 'not taken'
      if (change.task.pending === change) change.task.pending = undefined
      this.putIdle(change.task)
    }
  }

  #refusedOther(error: TqError, verb: Verb): void {
    this.refusedCount += 1
    if (!error.retryable) this.findings.wrong.push(`${verb}: ${error.message}`)
  }
}

export function heldOf(task: LedgerTask): HeldStanding {
  if (task.standing.kind !== 'held') throw new Error(`${task.key} is not held`)
  return task.standing
}

export function noFindings(): Findings {
  return { lost: [], halfBatches: [], wrong: [], tokenRepeats: [], unexpected: [] }
}
