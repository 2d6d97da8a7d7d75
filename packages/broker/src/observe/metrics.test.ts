// Metrics: what was counted comes out, under documented names and with bounded labels.

import type { QueueStats, WorkerStats } from '@tq/core'
import { describe, expect, it } from 'vitest'
import type { Fact } from '../engine/fact.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../engine/queue.ts'
import { METRICS } from './metric-table.ts'
import { Metrics, type MetricsSnapshot } from './metrics.ts'
import { QUEUE_LABELS_MAX } from './queue-label.ts'

function aQueue(queue: string, more: Partial<QueueStats> = {}): QueueStats {
  return {
    queue,
    paused: false,
    scheduled: 0,
    queued: 0,
    assigned: 0,
    running: 0,
    retrying: 0,
    kept: null,
    dead: null,
    enqueuedTotal: 0,
    completedTotal: 0,
    failedTotal: 0,
    deadTotal: 0,
    lostTotal: 0,
    waitingClaims: 0,
    settings: DEFAULT_QUEUE_SETTINGS,
    ...more,
  }
}

function aWorker(health: WorkerStats['health'], slots: number): WorkerStats {
  const names = { name: 'w', version: '1', labels: {}, principal: 'web' }
  return { session: new Uint8Array(16), ...names, slots, leases: 0, lastSeenAgoMs: 0, health }
}

function aSnapshot(more: Partial<MetricsSnapshot> = {}): MetricsSnapshot {
  return {
    queues: [],
    workers: [],
    parkedClaims: 0,
    connections: 0,
    durableLsn: 0,
    freeBytes: 0,
    storeBytes: 0,
    journalBytes: 0,
    ...more,
  }
}

/** The samples of the broker's own metrics, by name and labels. */
async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const { text } = await metrics.scrape()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

const ended = { kind: 'task-ended', state: 'dead' } as const

describe('metrics', () => {
  it('count facts by kind, and what they mean', async () => {
    const metrics = new Metrics()
    const facts = [
      { kind: 'task-leased' },
      { kind: 'task-leased' },
      { kind: 'task-retried', reason: 'failed' },
      { kind: 'task-retried', reason: 'timed_out' },
      { kind: 'task-released', reason: 'lease_expired', lost: true },
      { kind: 'task-released', reason: 'reply_lost', lost: false },
      { kind: 'task-released', reason: 'released', lost: false },
      { kind: 'worker-lost' },
      { ...ended, reason: 'losses_exhausted', counts: 'loss', actor: 'broker' },
      { ...ended, reason: 'attempts_exhausted', counts: 'failure', actor: 'broker' },
      { ...ended, reason: 'attempts_exhausted', counts: 'failure', actor: 'web' },
    ]
    for (const fact of facts) metrics.fact(fact as Fact)
    const found = await samples(metrics)

    expect(found.get('tq_transitions_total{fact="task-leased"}')).toBe(2)
    expect(found.get('tq_transitions_total{fact="task-purged"}')).toBe(0)
    expect(found.get('tq_assignments_total{outcome="succeeded"}')).toBe(2)
    expect(found.get('tq_retries_total{reason="failed"}')).toBe(1)
    expect(found.get('tq_timeouts_total')).toBe(2)
    expect(found.get('tq_orphans_total{reason="lease_expired"}')).toBe(1)
    expect(found.get('tq_orphans_total{reason="reply_lost"}')).toBe(1)
    expect(found.get('tq_orphans_total{reason="losses_exhausted"}')).toBe(1)
    expect(found.has('tq_orphans_total{reason="released"}')).toBe(false)
    expect(found.get('tq_workers_lost_total')).toBe(1)
    expect(found.get('tq_task_ends_total{state="dead",reason="attempts_exhausted"}')).toBe(2)
  })

  it('count answers by verb and code', async () => {
    const metrics = new Metrics()
    metrics.answered('enqueue', 'OK')
    metrics.answered('enqueue', 'OK')
    metrics.answered('claim', 'RESOURCE_EXHAUSTED')
    const found = await samples(metrics)

    expect(found.get('tq_requests_total{verb="enqueue",code="OK"}')).toBe(2)
    expect(found.get('tq_requests_total{verb="claim",code="RESOURCE_EXHAUSTED"}')).toBe(1)
    expect(found.get('tq_assignments_total{outcome="refused"}')).toBe(1)
  })

  it('count commits, connections, damage and stalls', async () => {
    const metrics = new Metrics()
    metrics.committed({ ms: 3, bytes: 5_000, factCount: 40 })
    metrics.connection('opened')
    metrics.connection('refused')
    metrics.damaged('payload')
    metrics.stalled(1_500)
    const found = await samples(metrics)

    expect(found.get('tq_commit_duration_seconds_bucket{le="0.0025"}')).toBe(0)
    expect(found.get('tq_commit_duration_seconds_bucket{le="0.005"}')).toBe(1)
    expect(found.get('tq_commit_bytes_sum')).toBe(5_000)
    expect(found.get('tq_commit_facts_count')).toBe(1)
    expect(found.get('tq_connections_total{event="opened"}')).toBe(1)
    expect(found.get('tq_connections_total{event="closed"}')).toBe(0)
    expect(found.get('tq_connections_total{event="refused"}')).toBe(1)
    expect(found.get('tq_damaged_records_total{what="payload"}')).toBe(1)
    expect(found.get('tq_stalls_total')).toBe(1)
    expect(found.get('tq_stall_seconds_total')).toBe(1.5)
  })

  it('show the broker as it is at the scrape', async () => {
    const metrics = new Metrics()
    const figures = { parkedClaims: 3, connections: 4, durableLsn: 5 }
    const bytes = { freeBytes: 6, storeBytes: 7, journalBytes: 8 }
    const queues = [
      aQueue('mail', { queued: 9, running: 2, oldestReadyAgeMs: 2_500, paused: true }),
      aQueue('video', { kept: 10, dead: 1, completedTotal: 11 }),
    ]
    const workers = [aWorker('ok', 8), aWorker('late', 2), aWorker('ok', 1)]
    let snapshot = aSnapshot({ ...figures, ...bytes, queues, workers })
    metrics.collectFrom(() => Promise.resolve(snapshot))
    const found = await samples(metrics)

    expect(found.get('tq_tasks{queue="mail",state="queued"}')).toBe(9)
    expect(found.get('tq_tasks{queue="video",state="kept"}')).toBe(10)
    expect(found.has('tq_tasks{queue="mail",state="kept"}')).toBe(false)
    expect(found.get('tq_oldest_ready_age_seconds{queue="mail"}')).toBe(2.5)
    expect(found.get('tq_queue_paused{queue="mail"}')).toBe(1)
    expect(found.get('tq_queue_tasks_total{queue="video",outcome="completed"}')).toBe(11)
    expect(found.get('tq_workers{health="ok"}')).toBe(2)
    expect(found.get('tq_workers{health="late"}')).toBe(1)
    expect(found.get('tq_worker_slots')).toBe(11)
    expect(found.get('tq_parked_claims')).toBe(3)
    expect(found.get('tq_connections')).toBe(4)
    expect(found.get('tq_durable_lsn')).toBe(5)
    expect(found.get('tq_disk_free_bytes')).toBe(6)
    expect(found.get('tq_store_bytes')).toBe(7)
    expect(found.get('tq_journal_bytes')).toBe(8)

    snapshot = aSnapshot()
    expect((await samples(metrics)).has('tq_tasks{queue="mail",state="queued"}')).toBe(false)
  })

  it('give a label to so many queues, and one to all others together', async () => {
    const metrics = new Metrics()
    const named = Array.from({ length: QUEUE_LABELS_MAX }, (_, at) => aQueue(`q${at}`))
    const others = [aQueue('x', { queued: 2, enqueuedTotal: 5 }), aQueue('y', { queued: 3 })]
    let queues = [...named, ...others]
    metrics.collectFrom(() => Promise.resolve(aSnapshot({ queues })))
    const found = await samples(metrics)

    expect(found.get('tq_tasks{queue="_other",state="queued"}')).toBe(5)
    expect(found.get('tq_queue_tasks_total{queue="_other",outcome="enqueued"}')).toBe(5)
    expect(found.has('tq_tasks{queue="x",state="queued"}')).toBe(false)

    queues = [...others].reverse()
    expect((await samples(metrics)).get('tq_tasks{queue="_other",state="queued"}')).toBe(5)
  })

  it('are scraped once for all who ask at the same time', async () => {
    const metrics = new Metrics()
    let collected = 0
    metrics.collectFrom(() => {
      collected += 1
      return Promise.resolve(aSnapshot())
    })
    const [one, other] = await Promise.all([metrics.scrape(), metrics.scrape()])

    expect(one).toBe(other)
    expect(collected).toBe(1)
    expect(one.contentType).toContain('text/plain')
  })

  it('can be scraped again after a scrape has failed', async () => {
    const metrics = new Metrics()
    let isBroken = true
    metrics.collectFrom(() =>
      isBroken ? Promise.reject(new Error('closed')) : Promise.resolve(aSnapshot()),
    )

    await expect(metrics.scrape()).rejects.toThrow('closed')
    isBroken = false
    await expect(metrics.scrape()).resolves.toBeDefined()
  })

  it('are those of the table, and those of the process', async () => {
    const { text } = await new Metrics().scrape()
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '')

    for (const name of Object.keys(METRICS)) expect(names).toContain(name)
    for (const name of names) expect(name).toMatch(/^tq_/)
    expect(names).toContain('tq_process_cpu_seconds_total')
    expect(names).toContain('tq_nodejs_eventloop_lag_p99_seconds')
  })
})
