// What became of the tasks that were to be cancelled.

import type { ErrorCode } from '@tq/client'
import { printable } from '../printable.ts'
import { renderTable, type View } from '../table.ts'

/** One task of a cancel, as `-o json` prints it. */
export interface CancelOutcome {
  readonly id: string
  readonly outcome: 'cancelled' | 'requested' | 'refused'
  /** True if it had happened before. */
  readonly already?: boolean
  /** Why it was refused. */
  readonly code?: ErrorCode
  readonly message?: string
}

export function renderCancelled(outcomes: readonly CancelOutcome[], view: View): string {
  const rows = outcomes.map((outcome) => [outcome.id, outcomeText(outcome, view)])
  return renderTable([{ head: 'task' }, { head: 'outcome' }], rows, view)
}

function outcomeText(outcome: CancelOutcome, view: View): string {
  const { code, message = '' } = outcome
  if (code !== undefined) return view.colors.red(`${code}: ${printable(message)}`)
  if (outcome.already === true) return `${outcome.outcome} before`
  return outcome.outcome === 'requested' ? 'requested; its worker will stop it' : 'cancelled'
}
