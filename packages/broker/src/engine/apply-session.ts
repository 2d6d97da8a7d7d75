// How a session comes and goes.

import { invariant } from '@tq/core'
import type { SessionOpened } from './fact.ts'
import { Session, sessionKey } from './session.ts'
import type { EngineState } from './state.ts'

export function openSession(state: EngineState, fact: SessionOpened): void {
  const known = state.sessionsByKey.get(sessionKey(fact.id))
  const session = known ?? addSession(state, fact)
  state.guestsBySilence.delete(session)
  state.idleGuests.delete(session)
  if (fact.worker !== undefined) {
    session.worker = fact.worker
    session.matches.clear()
  }
  seeSession(state, session, fact.tickMs)
}

/** A sign of life: nobody has been silent for a shorter time. */
export function seeSession(state: EngineState, session: Session, tickMs: number): void {
  session.lastSeenTickMs = tickMs
  const bySilence = session.worker === undefined ? state.guestsBySilence : state.workersBySilence
  bySilence.delete(session)
  bySilence.add(session)
  if (session.leaseCount === 0) noteIdle(state, session)
}

/** Last of those who may go: it has just been heard, or its last lease has ended. */
export function noteIdle(state: EngineState, session: Session): void {
  if (session.worker !== undefined) return
  state.idleGuests.delete(session)
  state.idleGuests.add(session)
}

export function closeSession(state: EngineState, index: number): void {
  const session = state.sessionAt(index)
  invariant(session.leaseCount === 0, 'a session is closed after its leases have ended')
  state.sessionsByKey.delete(session.key)
  state.guestsBySilence.delete(session)
  state.idleGuests.delete(session)
  state.workersBySilence.delete(session)
  state.sessions[index] = undefined
  state.freeSessions.push(index)
}

function addSession(state: EngineState, fact: SessionOpened): Session {
  const index = state.freeSessions.pop() ?? state.sessions.length
  const session = new Session({
    index,
    id: fact.id,
    principal: fact.principal,
    lastSeenTickMs: fact.tickMs,
  })
  state.sessions[index] = session
  state.sessionsByKey.set(session.key, session)
  return session
}
