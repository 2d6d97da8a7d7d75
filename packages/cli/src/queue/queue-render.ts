// Queues for people: one line each, or all about one.

import type { BrokerStats, QueueSettings, QueueStats } from '@tq/core'
import { showCount, showNumber } from '../count.ts'
import { showDuration } from '../duration.ts'
import { printable } from '../printable.ts'
import { type Cells, type Column, renderFields, renderTable, type View } from '../table.ts'

const COLUMNS: readonly Column[] = [
  { head: 'queue' },
  { head: 'gate' },
  { head: 'scheduled', align: 'right' },
  { head: 'queued', align: 'right' },
  { head: 'assigned', align: 'right' },
  { head: 'running', align: 'right' },
  { head: 'retrying', align: 'right' },
  { head: 'dead', align: 'right' },
  { head: 'kept', align: 'right' },
  { head: 'oldest', align: 'right' },
  { head: 'claims', align: 'right' },
]

/** All queues; empty if there are none. */
export function renderQueues(queues: readonly QueueStats[], view: View): string {
  if (queues.length === 0) return ''
  return renderTable(
    COLUMNS,
    queues.map((queue) => cellsOf(queue, view)),
    view,
  )
}

/** One queue, with its settings if they are there. */
export function renderQueue(queue: QueueStats, view: View): string {
  const { settings } = queue
  const standing = renderStanding(queue, view)
  if (settings === undefined) return standing
  return `${standing}\n\n${view.colors.bold('settings')}\n${renderSettings(settings, view)}`
}

/** The broker in a line. */
export function brokerLine(broker: BrokerStats): string {
  const counts = [
    showCount(broker.tasks, 'live task'),
    showCount(broker.workers, 'worker'),
    showCount(broker.connections, 'connection'),
  ]
  const { version, uptimeMs, epoch, lsn } = broker
  const head = `broker ${version}, up ${showDuration(uptimeMs)}, epoch ${epoch}, LSN ${lsn}`
  return `${head}: ${counts.join(', ')}`
}

function cellsOf(queue: QueueStats, view: View): Cells {
  const { colors } = view
  const dead = countText(queue.dead)
  return [
    queue.queue,
    queue.paused ? colors.yellow('paused') : 'open',
    String(queue.scheduled),
    String(queue.queued),
    String(queue.assigned),
    String(queue.running),
    String(queue.retrying),
    (queue.dead ?? 0) > 0 ? colors.red(dead) : dead,
    countText(queue.kept),
    queue.oldestReadyAgeMs === undefined ? '-' : showDuration(queue.oldestReadyAgeMs),
    String(queue.waitingClaims),
  ]
}

function renderStanding(queue: QueueStats, view: View): string {
  const { oldestReadyAgeMs: oldestMs } = queue
  const oldest = oldestMs === undefined ? '' : `, the oldest for ${showDuration(oldestMs)}`
  return renderFields(
    [
      ['queue', queue.queue],
      ['gate', gateText(queue, view)],
      ['scheduled', showNumber(queue.scheduled)],
      ['queued', `${showNumber(queue.queued)}${oldest}`],
      ['assigned', showNumber(queue.assigned)],
      ['running', showNumber(queue.running)],
      ['retrying', showNumber(queue.retrying)],
      ['dead', countText(queue.dead)],
      ['kept', `${countText(queue.kept)} that have ended`],
      ['claims', `${showNumber(queue.waitingClaims)} waiting for tasks`],
      ['since start', totalsText(queue)],
    ],
    view,
  )
}

function gateText(queue: QueueStats, view: View): string {
  if (!queue.paused) return 'open'
  const reason = queue.pauseReason === undefined ? '' : `: ${printable(queue.pauseReason)}`
  return view.colors.yellow(`paused${reason}`)
}

/** Tasks that have ended are counted in the background after a start; until then nobody knows. */
function countText(count: number | null): string {
  return count === null ? '?' : String(count)
}

function totalsText(queue: QueueStats): string {
  return [
    `${showNumber(queue.enqueuedTotal)} enqueued`,
    `${showNumber(queue.completedTotal)} completed`,
    `${showNumber(queue.failedTotal)} failed`,
    `${showNumber(queue.lostTotal)} lost`,
    `${showNumber(queue.deadTotal)} dead`,
  ].join(', ')
}

function renderSettings(settings: QueueSettings, view: View): string {
  const timeouts = Object.entries(settings.timeouts)
  return renderFields(
    [
      ['order', orderText(settings)],
      ['tasks at most', showNumber(settings.tasksMax)],
      ['attempts', `${settings.maxAttempts} failures, ${settings.maxLost} losses`],
      ['retry', retryText(settings.retry)],
      ['keep ended', keptText(settings.retentionMs, settings.retentionCount)],
      ['keep dead', keptText(settings.deadRetentionMs, settings.deadRetentionCount)],
      ['timeouts', timeouts.map(timeoutText).join('\n') || 'the same for all types'],
    ],
    view,
  )
}

function orderText({ order, agingMsPerLevel }: QueueSettings): string {
  if (order === 'strict') return 'strict: by priority, then first in, first out'
  return `aging: a level of priority is worth ${showDuration(agingMsPerLevel)} of waiting`
}

function retryText(retry: QueueSettings['retry']): string {
  const { kind, baseMs, factor, capMs, jitter, notRetryable } = retry
  const growth = kind === 'exponential' ? ` × ${factor}ⁿ` : ''
  const delay = `${kind}: ${showDuration(baseMs)}${growth}, at most ${showDuration(capMs)}`
  const never = notRetryable.length === 0 ? '' : `; never after ${notRetryable.join(', ')}`
  return printable(`${delay}, ±${Math.round(jitter * 100)} %${never}`)
}

function keptText(ageMs: number, count: number): string {
  if (ageMs === 0 || count === 0) return 'none'
  return `${showDuration(ageMs)}, at most ${showNumber(count)}`
}

function timeoutText([type, policy]: readonly [string, object]): string {
  return printable(`${type}: ${JSON.stringify(policy)}`)
}
