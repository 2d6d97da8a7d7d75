// Workers for people, one a line.

import type { WorkerInfo } from '@tq/client'
import { showDuration } from '../duration.ts'
import { showLabels } from '../key-value.ts'
import { printable } from '../printable.ts'
import { type Cells, type Column, renderTable, type View } from '../table.ts'

const COLUMNS: readonly Column[] = [
  { head: 'worker' },
  { head: 'session' },
  { head: 'health' },
  { head: 'slots used', align: 'right' },
  { head: 'seen' },
  { head: 'version' },
  { head: 'principal' },
  { head: 'labels' },
]

/** Empty for no workers. */
export function renderWorkers(workers: readonly WorkerInfo[], view: View): string {
  if (workers.length === 0) return ''
  return renderTable(
    COLUMNS,
    workers.map((worker) => cellsOf(worker, view)),
    view,
  )
}

function cellsOf(worker: WorkerInfo, view: View): Cells {
  const { health, leases, slots, labels } = worker
  return [
    printable(worker.name),
    worker.session,
    health === 'ok' ? view.colors.green(health) : view.colors.yellow(health),
    `${leases}/${slots}`,
    `${showDuration(worker.lastSeenAgoMs)} ago`,
    printable(worker.version),
    printable(worker.principal),
    printable(showLabels(labels)) || '-',
  ]
}
