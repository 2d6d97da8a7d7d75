// Claim: the most urgent tasks, leased to this session. A re-sent claim gets the same leases again.

import { invariant } from '@tq/core'
import type { Command } from './command.ts'
import { openSessionFor } from './decide-session.ts'
import { Refusal, type Turn } from './decision.ts'
import { LaneRace } from './lane-race.ts'
import { lanesFor, type PickQueue, visitingOrder } from './pick.ts'
import { NO_ROW, type Row } from './rows.ts'
import { type Session, sessionKey } from './session.ts'
import { FLAG_CANCEL_REQUESTED } from './task-table.ts'

type ClaimCommand = Extract<Command, { kind: 'claim' }>

/** A lease that was granted; the shell adds the payload and makes the reply of it. */
export interface Claimed {
  readonly task: Row
  readonly id: Uint8Array
  readonly token: number
  readonly queue: string
  readonly type: string
  readonly attempt: number
  readonly priority: number
  readonly timeoutMs: number
  readonly failures: number
  readonly losses: number
  readonly cancelRequested: boolean
  readonly endTickMs: number
  readonly payloadBytes: number
}

export interface ClaimDecision {
  readonly claimed: readonly Claimed[]
}

export const DEFAULT_LEASE_MS = 15_000

export function decideClaim(turn: Turn, command: ClaimCommand): ClaimDecision | Refusal {
  const { state } = turn
  const isSeen = command.isRetried !== true
  const known = state.sessionsByKey.get(sessionKey(command.session.id))
  if (known !== undefined) {
    const session = openSessionFor(turn, command.session, isSeen)
    if (session instanceof Refusal) return session
    const again = grantedBefore(turn, session, command.request.claim)
    if (again.length > 0) return { claimed: again }
  }
  const queues = queuesWithWork(turn, known, command)
  if (queues.length === 0) return { claimed: [] }
  const session = openSessionFor(turn, command.session, isSeen)
  if (session instanceof Refusal) return session
  return { claimed: grant(turn, session, { command, queues }) }
}

/** Live leases of the session under this claim number: the first answer was lost on the way. */
function grantedBefore(turn: Turn, session: Session, claim: number): Claimed[] {
  const { leases } = turn.state
  const claimed: Claimed[] = []
  for (let lease = session.firstLease; lease !== NO_ROW; lease = leases.next(lease)) {
    if (leases.claim(lease) === claim) claimed.push(describe(turn, leases.task(lease)))
  }
  return claimed.reverse() // the list of a session begins with its newest lease
}

function queuesWithWork(
  turn: Turn,
  session: Session | undefined,
  command: ClaimCommand,
): PickQueue[] {
  const { request } = command
  const picked: PickQueue[] = []
  for (const name of request.queues) {
    const queue = turn.state.queuesByName.get(name)
    if (queue === undefined || queue.paused || queue.countOf('queued') === 0) continue
    const lanes = lanesFor(session, queue, request.minPriority ?? 0)
    if (lanes.length > 0) picked.push({ queue, lanes, weight: weightOf(request, name) })
  }
  return picked
}

/** By own names only: a queue may be called `constructor`. */
function weightOf({ weights }: ClaimCommand['request'], name: string): number {
  return weights !== undefined && Object.hasOwn(weights, name) ? (weights[name] as number) : 1
}

function grant(
  turn: Turn,
  session: Session,
  asked: { readonly command: ClaimCommand; readonly queues: readonly PickQueue[] },
): Claimed[] {
  const { request } = asked.command
  const order =
    request.order === 'strict'
      ? asked.queues.map((_, index) => index)
      : visitingOrder(asked.queues, request.claim) // each claim begins its round one queue further
  const claimed: Claimed[] = []
  // Only queues that are visited pay for it: most claims are full before they come to the last.
  const races: (LaneRace | undefined)[] = []
  let bytesLeft = asked.command.payloadBytesMax
  let visit = 0
  let fruitless = 0 // visits in a row that found nothing
  while (claimed.length < request.max && fruitless < order.length) {
    const race = raceAt(turn, { asked, races }, order[visit] as number)
    const task = race.first()
    const isFull = task !== NO_ROW && turn.state.tasks.payloadBytes(task) > bytesLeft
    if (isFull && claimed.length > 0) break
    if (task === NO_ROW) {
      fruitless += 1
      visit = (visit + 1) % order.length
      continue
    }
    bytesLeft -= turn.state.tasks.payloadBytes(task)
    lease(turn, session, { task, request })
    race.advance()
    claimed.push(describe(turn, task))
    fruitless = 0
    if (request.order !== 'strict') visit = (visit + 1) % order.length
  }
  return claimed
}

function raceAt(
  turn: Turn,
  {
    asked,
    races,
  }: {
    readonly asked: { readonly queues: readonly PickQueue[] }
    readonly races: (LaneRace | undefined)[]
  },
  index: number,
): LaneRace {
  const picked = asked.queues[index]
  invariant(picked !== undefined, 'a visit names one of the queues')
  return (races[index] ??= new LaneRace(turn.state, picked.queue, picked.lanes))
}

function lease(
  turn: Turn,
  session: Session,
  granted: { readonly task: Row; readonly request: ClaimCommand['request'] },
): void {
  const { task, request } = granted
  const leaseMs = request.leaseMs ?? DEFAULT_LEASE_MS
  turn.emit({
    kind: 'task-leased',
    task,
    session: session.index,
    token: turn.state.lastToken + 1,
    claim: request.claim,
    leaseMs,
    endTickMs: turn.tickMs + leaseMs,
    deadlineTickMs: request.start ? turn.tickMs + turn.state.tasks.timeoutMs(task) : 0,
    atMs: turn.wallMs,
  })
}

function describe(turn: Turn, task: Row): Claimed {
  const { tasks, leases } = turn.state
  const profile = turn.state.profileOf(task)
  const held = tasks.lease(task)
  return {
    task,
    id: tasks.id(task),
    token: leases.token(held),
    queue: profile.queue.name,
    type: profile.type,
    attempt: tasks.attempt(task),
    priority: tasks.priority(task),
    timeoutMs: tasks.timeoutMs(task),
    failures: tasks.failures(task),
    losses: tasks.losses(task),
    cancelRequested: tasks.hasFlag(task, FLAG_CANCEL_REQUESTED),
    endTickMs: leases.endTickMs(held),
    payloadBytes: tasks.payloadBytes(task),
  }
}
