// How a session comes and goes.

import { invariant } from '@tq/core'
import type { SessionOpened } from './fact.ts'
import { Session, sessionKey } from './session.ts'
import type { EngineState } from './state.ts'

export function openSession(state: EngineState, fact: SessionOpened): void {
  const known = state.sessionsByKey.get(sessionKey(fact.id))
  const session = known ?? addSession(state, fact)
  session.lastSeenTickMs = fact.tickMs
  if (fact.worker === undefined) return
  session.worker = fact.worker
  session.matches.clear()
}

export function closeSession(state: EngineState, index: number): void {
  const session = state.sessionAt(index)
  invariant(session.leaseCount === 0, 'a session is closed after its leases have ended')
  state.sessionsByKey.delete(session.key)
  state.sessions[index] = undefined
}

function addSession(state: EngineState, fact: SessionOpened): Session {
  const hole = state.sessions.indexOf(undefined)
  const index = hole < 0 ? state.sessions.length : hole
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
