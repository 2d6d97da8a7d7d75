// Sessions and workers: registering, leaving, heartbeats.

import { type HeldTask, type ReplyOf, type RequestOf, type StopOrder } from '@tq/core'
import type { Command, SessionIdentity } from './command.ts'
import { type Refusal, refuse, type Turn } from './decision.ts'
import { giveBack } from './end-attempt.ts'
import { NO_ROW, type Row } from './rows.ts'
import { type Session, sessionKey, type WorkerInfo } from './session.ts'
import { FLAG_CANCEL_REQUESTED } from './task-table.ts'

/**
 * The session under this identity, opened if it is new. Another principal's is refused.
 * @param isSeen False if the broker acts for it, of which its worker knows nothing.
 */
export function openSessionFor(
  turn: Turn,
  identity: SessionIdentity,
  isSeen = true,
): Session | Refusal {
  const key = sessionKey(identity.id)
  const known = turn.state.sessionsByKey.get(key)
  if (known !== undefined) {
    if (known.principal !== identity.principal) return notYours()
    if (isSeen && known.lastSeenTickMs !== turn.tickMs) see(turn, known)
    return known
  }
  const refusal = makeRoom(turn)
  if (refusal !== undefined) return refusal
  open(turn, identity, undefined)
  return turn.state.sessionsByKey.get(key) as Session
}

export function decideRegister(
  turn: Turn,
  request: RequestOf<'register'>,
  identity: SessionIdentity,
): ReplyOf<'register'> | Refusal {
  const known = turn.state.sessionsByKey.get(sessionKey(identity.id))
  if (known !== undefined && known.principal !== identity.principal) return notYours()
  const { name, version, labels, slots } = request
  const worker: WorkerInfo = { name, version, labels, slots }
  if (known !== undefined && JSON.stringify(known.worker) === JSON.stringify(worker)) {
    see(turn, known)
  } else {
    const refusal = known === undefined ? makeRoom(turn) : undefined
    if (refusal !== undefined) return refusal
    open(turn, identity, worker)
  }
  return { worker: identity.id }
}

/** A worker goes away cleanly: its leases are given back without cost. */
export function decideLeave(turn: Turn, identity: SessionIdentity): ReplyOf<'leave'> | Refusal {
  const session = turn.state.sessionsByKey.get(sessionKey(identity.id))
  if (session === undefined) return { released: 0 }
  if (session.principal !== identity.principal) return notYours()
  const held = tasksOf(turn, session)
  for (const task of held) giveBack(turn, task, 'released')
  const { index, id } = session
  turn.emit({ kind: 'session-closed', session: index, id, reason: 'left', atMs: turn.wallMs })
  return { released: held.length }
}

export interface HeartbeatDecision {
  readonly stop: readonly StopOrder[]
  readonly released: number
}

/**
 * Renews the leases that the worker names, tells which of them it must stop, and gives back those
 * whose claim was answered but which it does not know: their reply was lost on the way.
 */
export function decideHeartbeat(
  turn: Turn,
  command: Extract<Command, { kind: 'heartbeat' }>,
): HeartbeatDecision | Refusal {
  const { request } = command
  const id = request.session ?? command.session.id
  const session = turn.state.sessionsByKey.get(sessionKey(id))
  if (session === undefined) {
    return { stop: request.leases.map(({ id, token }) => [id, token, 'unknown']), released: 0 }
  }
  if (session.principal !== command.session.principal) return notYours()
  see(turn, session)
  const stop: StopOrder[] = []
  const named = new Set<Row>()
  for (const item of request.leases) {
    const order = renew(turn, session, { item, named })
    if (order !== undefined) stop.push(order)
  }
  const released =
    named.size === session.leaseCount ? 0 : settleUnnamed(turn, session, { named, request })
  return { stop, released }
}

function renew(
  turn: Turn,
  session: Session,
  beat: { readonly item: HeldTask; readonly named: Set<Row> },
): StopOrder | undefined {
  const { state } = turn
  const { id, token } = beat.item
  const task = state.index.find(id)
  if (task === undefined) return [id, token, 'unknown']
  const lease = state.tasks.lease(task)
  if (lease === NO_ROW || state.leases.token(lease) !== token) return [id, token, 'lost']
  if (state.leases.session(lease) !== session.index) return [id, token, 'lost']
  beat.named.add(lease)
  renewLease(turn, lease)
  return state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED) ? [id, token, 'cancelled'] : undefined
}

/**
 * Leases that the worker does not name: of an answered claim, their reply was lost on the way, and
 * they are given back. Of a claim whose answer it has not read yet, they live on with the worker.
 */
function settleUnnamed(
  turn: Turn,
  session: Session,
  beat: { readonly named: ReadonlySet<Row>; readonly request: RequestOf<'heartbeat'> },
): number {
  const { leases } = turn.state
  const lost: Row[] = []
  for (let lease = session.firstLease; lease !== NO_ROW; lease = leases.next(lease)) {
    if (beat.named.has(lease)) continue
    if (leases.claim(lease) <= beat.request.received) lost.push(leases.task(lease))
    else renewLease(turn, lease)
  }
  for (const task of lost) giveBack(turn, task, 'reply_lost')
  return lost.length
}

function renewLease(turn: Turn, lease: Row): void {
  const endTickMs = turn.tickMs + turn.state.leases.leaseMs(lease)
  turn.emit({ kind: 'lease-renewed', lease, endTickMs })
}

/** The tasks that a session holds, oldest lease first. */
export function tasksOf(turn: Turn, session: Session): Row[] {
  const { leases } = turn.state
  const tasks: Row[] = []
  for (let lease = session.firstLease; lease !== NO_ROW; lease = leases.next(lease)) {
    tasks.push(leases.task(lease))
  }
  return tasks.reverse()
}

/** A session that holds nothing and has been silent is forgotten: it begins anew if it comes back. */
export function closeSilent(turn: Turn, session: Session): void {
  const { index, id } = session
  const reason = session.worker === undefined ? 'idle' : 'dead'
  turn.emit({ kind: 'session-closed', session: index, id, reason, atMs: turn.wallMs })
}

const ROOM_AFTER_MS = 5_000

/** One session more: if there are too many, who is no worker and has held nothing longest goes for it. */
function makeRoom(turn: Turn): Refusal | undefined {
  const { sessionsByKey, idleGuests, options } = turn.state
  if (sessionsByKey.size < options.sessionsMax) return undefined
  for (const guest of idleGuests) {
    closeSilent(turn, guest)
    return undefined
  }
  const text = `the broker keeps at most ${options.sessionsMax} sessions of workers and clients`
  return refuse('RESOURCE_EXHAUSTED', text, { retryAfterMs: ROOM_AFTER_MS })
}

function see(turn: Turn, session: Session): void {
  turn.emit({ kind: 'session-seen', session: session.index, tickMs: turn.tickMs })
}

function open(turn: Turn, identity: SessionIdentity, worker: WorkerInfo | undefined): void {
  turn.emit({
    kind: 'session-opened',
    id: identity.id,
    principal: identity.principal,
    worker,
    tickMs: turn.tickMs,
    atMs: turn.wallMs,
  })
}

function notYours(): Refusal {
  return refuse('FORBIDDEN', 'this session belongs to another principal')
}
