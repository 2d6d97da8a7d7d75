// The table of leases: who holds which task, until when, under which fencing token.

import { NO_ROW, type Row, Rows } from './rows.ts'

// Doubles of a row. The token comes first: it also decides between equal keys in the heaps.
export const TOKEN_DOUBLE = 0
const END_TICK_MS = 1
const DEADLINE_TICK_MS = 2
const ASSIGNED_AT_MS = 3
const STARTED_AT_MS = 4
/** A double, as on the wire: a session may count its claims beyond 32 bits. */
const CLAIM = 9
// Words of a row.
const TASK = 10
const SESSION = 11
const PREVIOUS = 12
const NEXT = 13
const PERCENT = 14
const LEASE_MS = 15
export const END_PLACE_WORD = 16
export const DEADLINE_PLACE_WORD = 17
// Words 18 and 19 are the claim.
const WORDS = 20

export class LeaseTable {
  readonly rows: Rows

  constructor(capacity: number) {
    this.rows = new Rows({ words: WORDS, capacity })
  }

  get count(): number {
    return this.rows.count
  }

  acquire(task: Row, session: number): Row {
    const lease = this.rows.acquire()
    const base = lease * WORDS
    this.rows.u32[base + TASK] = task
    this.rows.u32[base + SESSION] = session
    this.rows.u32[base + PREVIOUS] = NO_ROW
    this.rows.u32[base + NEXT] = NO_ROW
    return lease
  }

  release(lease: Row): void {
    this.rows.release(lease)
  }

  token(lease: Row): number {
    return this.rows.f64[lease * (WORDS / 2) + TOKEN_DOUBLE] as number
  }

  setToken(lease: Row, token: number): void {
    this.rows.f64[lease * (WORDS / 2) + TOKEN_DOUBLE] = token
  }

  endTickMs(lease: Row): number {
    return this.rows.f64[lease * (WORDS / 2) + END_TICK_MS] as number
  }

  setEndTickMs(lease: Row, endTickMs: number): void {
    this.rows.f64[lease * (WORDS / 2) + END_TICK_MS] = endTickMs
  }

  /** When the attempt has run too long; 0 until it was started. */
  deadlineTickMs(lease: Row): number {
    return this.rows.f64[lease * (WORDS / 2) + DEADLINE_TICK_MS] as number
  }

  setDeadlineTickMs(lease: Row, deadlineTickMs: number): void {
    this.rows.f64[lease * (WORDS / 2) + DEADLINE_TICK_MS] = deadlineTickMs
  }

  assignedAtMs(lease: Row): number {
    return this.rows.f64[lease * (WORDS / 2) + ASSIGNED_AT_MS] as number
  }

  setAssignedAtMs(lease: Row, atMs: number): void {
    this.rows.f64[lease * (WORDS / 2) + ASSIGNED_AT_MS] = atMs
  }

  /** Wall ms of the start; 0 while the task is only assigned. */
  startedAtMs(lease: Row): number {
    return this.rows.f64[lease * (WORDS / 2) + STARTED_AT_MS] as number
  }

  setStartedAtMs(lease: Row, atMs: number): void {
    this.rows.f64[lease * (WORDS / 2) + STARTED_AT_MS] = atMs
  }

  task(lease: Row): Row {
    return this.rows.u32[lease * WORDS + TASK] as number
  }

  session(lease: Row): number {
    return this.rows.u32[lease * WORDS + SESSION] as number
  }

  /** Neighbours in the list of the session's leases. */
  previous(lease: Row): Row {
    return this.rows.u32[lease * WORDS + PREVIOUS] as number
  }

  setPrevious(lease: Row, previous: Row): void {
    this.rows.u32[lease * WORDS + PREVIOUS] = previous
  }

  next(lease: Row): Row {
    return this.rows.u32[lease * WORDS + NEXT] as number
  }

  setNext(lease: Row, next: Row): void {
    this.rows.u32[lease * WORDS + NEXT] = next
  }

  /** Number of the claim, within its session, that granted this lease. */
  claim(lease: Row): number {
    return this.rows.f64[lease * (WORDS / 2) + CLAIM] as number
  }

  setClaim(lease: Row, claim: number): void {
    this.rows.f64[lease * (WORDS / 2) + CLAIM] = claim
  }

  /** Full length of the lease: what each renewal and each restart of the broker gives again. */
  leaseMs(lease: Row): number {
    return this.rows.u32[lease * WORDS + LEASE_MS] as number
  }

  setLeaseMs(lease: Row, leaseMs: number): void {
    this.rows.u32[lease * WORDS + LEASE_MS] = leaseMs
  }

  /** Progress as the worker reported it, 0 to 100; undefined before the first report. */
  percent(lease: Row): number | undefined {
    const word = this.rows.u32[lease * WORDS + PERCENT] as number
    return word === 0 ? undefined : word - 1
  }

  setPercent(lease: Row, percent: number): void {
    this.rows.u32[lease * WORDS + PERCENT] = percent + 1
  }
}
