// Every metric of the broker: name, type, labels and meaning. docs/operating.md shows the table.

export interface MetricEntry {
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

export const METRICS = {
  tq_tasks: {
    type: 'gauge',
    labels: ['queue', 'state'],
    help: 'Tasks by state: scheduled, queued, assigned, running, retrying; kept and dead once counted.',
  },
  tq_oldest_ready_age_seconds: {
    type: 'gauge',
    labels: ['queue'],
    help: 'How long the oldest ready task has waited; 0 if none is ready.',
  },
  tq_queue_paused: { type: 'gauge', labels: ['queue'], help: '1 if the queue is paused.' },
  tq_queue_tasks_total: {
    type: 'counter',
    labels: ['queue', 'outcome'],
    help: 'What became of tasks: enqueued, completed, failed (an attempt), lost (its worker), dead.',
  },
  tq_transitions_total: {
    type: 'counter',
    labels: ['fact'],
    help: 'Everything that happened, by kind of fact.',
  },
  tq_task_ends_total: {
    type: 'counter',
    labels: ['state', 'reason'],
    help: 'Tasks that ended, by terminal state and reason.',
  },
  tq_assignments_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Tasks leased to a worker (succeeded) and claims refused (refused); tried is their sum.',
  },
  tq_retries_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Attempts that ended badly and are tried again: failed or timed_out.',
  },
  tq_timeouts_total: {
    type: 'counter',
    labels: [],
    help: 'Attempts that ran longer than their execution timeout.',
  },
  tq_orphans_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Held tasks found without a living holder, by what ended the attempt.',
  },
  tq_workers_lost_total: { type: 'counter', labels: [], help: 'Workers that went silent.' },
  tq_workers: {
    type: 'gauge',
    labels: ['health'],
    help: 'Registered workers by health: ok, or late with their heartbeat.',
  },
  tq_worker_slots: { type: 'gauge', labels: [], help: 'Slots of all registered workers.' },
  tq_requests_total: {
    type: 'counter',
    labels: ['verb', 'code'],
    help: 'Requests that were answered, by verb and code: OK or a code of refusal.',
  },
  tq_parked_claims: { type: 'gauge', labels: [], help: 'Claims that wait for work.' },
  tq_connections: { type: 'gauge', labels: [], help: 'Open connections.' },
  tq_connections_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Connections that were opened, closed, or refused for being over a limit.',
  },
  tq_commit_duration_seconds: {
    type: 'histogram',
    labels: [],
    help: 'From the start of a commit until it is on stable storage.',
  },
  tq_commit_bytes: { type: 'histogram', labels: [], help: 'Bytes of a commit.' },
  tq_commit_facts: { type: 'histogram', labels: [], help: 'Facts that shared a commit.' },
  tq_durable_lsn: { type: 'gauge', labels: [], help: 'Number of the newest durable commit.' },
  tq_store_bytes: { type: 'gauge', labels: [], help: 'Bytes of LevelDB on disk, about.' },
  tq_journal_bytes: { type: 'gauge', labels: [], help: 'Bytes of the journal, about.' },
  tq_disk_free_bytes: { type: 'gauge', labels: [], help: 'Free bytes of the data disk.' },
  tq_damaged_records_total: {
    type: 'counter',
    labels: ['what'],
    help: 'Records that failed their checksum when they were read.',
  },
  tq_stalls_total: { type: 'counter', labels: [], help: 'Times that the process stood still.' },
  tq_stall_seconds_total: { type: 'counter', labels: [], help: 'How long it stood still in all.' },
} as const satisfies Record<string, MetricEntry>

export type MetricName = keyof typeof METRICS

export type MetricNameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never
}[MetricName]
