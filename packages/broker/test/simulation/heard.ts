// A fact as an outsider hears it: with names instead of rows, and the moment at which it happened.

import type { Fact } from '../../src/engine/fact.ts'
import { NO_ROW, type Row } from '../../src/engine/rows.ts'
import type { EngineState } from '../../src/engine/state.ts'

export interface Moment {
  readonly wallMs: number
  readonly tickMs: number
  /** On the world's clock. */
  readonly monotonicMs: number
}

export interface Heard {
  readonly fact: Fact
  /** Hex text of the task it is about; '' if it is about none. */
  readonly id: string
  /** Key of the session it is about; '' if it is about none. */
  readonly session: string
  readonly at: Moment
  /** Number of the world's event in which it happened: one command never spans two. */
  readonly event: number
}

/** Resolves the rows inside a fact, which are good only at the moment it happens. */
export function namesIn(
  state: EngineState,
  fact: Fact,
  task: Row,
): { readonly id: string; readonly session: string } {
  switch (fact.kind) {
    case 'session-opened':
    case 'session-closed':
      return { id: '', session: hexOf(fact.id) }
    case 'session-seen':
    case 'worker-lost':
      return { id: '', session: state.sessionAt(fact.session).key }
    case 'lease-renewed':
    case 'task-progressed':
      return { id: hexOf(state.tasks.id(state.leases.task(fact.lease))), session: '' }
    case 'task-leased':
      return { id: hexOf(state.tasks.id(task)), session: state.sessionAt(fact.session).key }
    default:
      return { id: task === NO_ROW ? '' : hexOf(state.tasks.id(task)), session: '' }
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

/** The end of an id: enough to tell tasks apart in a trace. */
export function shortOf(hex: string): string {
  return hex.slice(-6)
}
