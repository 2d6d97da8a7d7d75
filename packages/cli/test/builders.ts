// Tasks, queues, workers and reports as the SDK tells of them, with what a test does not care about.

import type { TaskInfo, TaskListRow, WorkerInfo } from '@tq/client'
import type { QueueSettings, QueueStats, StartupReport } from '@tq/core'

export const TASK_ID = '01a1f866-0d00-7000-92eb-30557a9fc4e9'
/** The moment at which all of them were made. */
export const MADE_AT_MS: number = Date.UTC(2026, 10, 20, 9, 58, 0)

export function aTask(task: Partial<TaskInfo> = {}): TaskInfo {
  return {
    id: TASK_ID,
    queue: 'mail',
    type: 'welcome',
    state: 'queued',
    priority: 128,
    attempt: 1,
    failures: 0,
    losses: 0,
    generation: 0,
    maxAttempts: 5,
    maxLost: 3,
    createdAtMs: MADE_AT_MS,
    timeoutMs: 3_600_000,
    payloadBytes: 1,
    ...task,
  }
}

export function aRow(row: Partial<TaskListRow> = {}): TaskListRow {
  return {
    id: TASK_ID,
    queue: 'mail',
    type: 'welcome',
    state: 'queued',
    priority: 128,
    attempt: 1,
    createdAtMs: MADE_AT_MS,
    ...row,
  }
}

export function aQueue(queue: Partial<QueueStats> = {}): QueueStats {
  return {
    queue: 'mail',
    paused: false,
    scheduled: 0,
    queued: 0,
    assigned: 0,
    running: 0,
    retrying: 0,
    kept: 0,
    dead: 0,
    enqueuedTotal: 0,
    completedTotal: 0,
    failedTotal: 0,
    deadTotal: 0,
    lostTotal: 0,
    waitingClaims: 0,
    ...queue,
  }
}

export function someSettings(settings: Partial<QueueSettings> = {}): QueueSettings {
  return {
    order: 'aging',
    agingMsPerLevel: 60_000,
    tasksMax: 10_000_000,
    maxAttempts: 5,
    maxLost: 3,
    retry: {
      kind: 'exponential',
      baseMs: 5_000,
      factor: 2,
      capMs: 3_600_000,
      jitter: 0.1,
      notRetryable: [],
    },
    retentionMs: 86_400_000,
    retentionCount: 100_000,
    deadRetentionMs: 2_592_000_000,
    deadRetentionCount: 100_000,
    timeouts: {},
    ...settings,
  }
}

export function aWorkerInfo(worker: Partial<WorkerInfo> = {}): WorkerInfo {
  return {
    session: '2eb2f6c4b225ea4afd4043ea50ca261a',
    name: 'w1',
    version: '0.1.0',
    labels: {},
    slots: 4,
    leases: 1,
    lastSeenAgoMs: 1_500,
    health: 'ok',
    principal: 'anonymous',
    ...worker,
  }
}

export function aReport(report: Partial<StartupReport> = {}): StartupReport {
  return {
    startedAtMs: MADE_AT_MS,
    totalMs: 52.83,
    epoch: 2,
    lsn: 16,
    steps: [
      { name: 'lock', ms: 5.12, counts: {} },
      { name: 'load-tasks', ms: 0.3, counts: { tasks: 12_000, leases: 2 } },
    ],
    warnings: [],
    ...report,
  }
}
