// The broker's metrics: counted in plain numbers, handed to prom-client when somebody asks.

import type { ErrorCode, QueueStats, Verb, WorkerStats } from '@tq/core'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { FACT_KINDS, type Fact, type FactKind } from '../engine/fact.ts'
import { FactCounts } from './fact-counts.ts'
import { METRICS, type MetricName, type MetricNameOf } from './metric-table.ts'
import { processMetrics } from './process-metrics.ts'
import { QueueLabels } from './queue-label.ts'

/** What is read from the broker at a scrape. */
export interface MetricsSnapshot {
  readonly queues: readonly QueueStats[]
  readonly workers: readonly WorkerStats[]
  readonly parkedClaims: number
  readonly connections: number
  readonly durableLsn: number
  readonly freeBytes: number
  readonly storeBytes: number
  readonly journalBytes: number
}

/** What metrics need to know of a commit. */
export interface CommitFigures {
  readonly ms: number
  readonly bytes: number
  readonly factCount: number
}

export interface Scrape {
  readonly contentType: string
  readonly text: string
}

export type ConnectionEvent = 'opened' | 'closed' | 'refused'

const BUCKETS: Readonly<Record<MetricNameOf<'histogram'>, readonly number[]>> = {
  tq_commit_duration_seconds: [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ],
  tq_commit_bytes: [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
  tq_commit_facts: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
}

const LIVE = ['scheduled', 'queued', 'assigned', 'running', 'retrying'] as const
const OUTCOMES = ['enqueued', 'completed', 'failed', 'lost', 'dead'] as const

export class Metrics {
  readonly #registry = new Registry()
  readonly #counters = new Map<MetricName, Counter>()
  readonly #gauges = new Map<MetricName, Gauge>()
  readonly #commitSeconds: Histogram
  readonly #commitBytes: Histogram
  readonly #commitFacts: Histogram
  readonly #facts = new FactCounts()
  /** Answers by `verb code`. */
  readonly #answers = new Map<string, number>()
  readonly #damaged = new Map<string, number>()
  readonly #connections: Record<ConnectionEvent, number> = { opened: 0, closed: 0, refused: 0 }
  readonly #queueLabels = new QueueLabels()
  #refusedClaims = 0
  #stalls = 0
  #stallMs = 0
  #collect: (() => Promise<MetricsSnapshot>) | undefined
  #scraping: Promise<Scrape> | undefined

  constructor() {
    const registers = [this.#registry]
    for (const [name, { type, labels, help }] of Object.entries(METRICS)) {
      const shared = { name, help, labelNames: [...labels], registers }
      if (type === 'counter') this.#counters.set(name as MetricName, new Counter(shared))
      if (type === 'gauge') this.#gauges.set(name as MetricName, new Gauge(shared))
    }
    this.#commitSeconds = this.#histogram('tq_commit_duration_seconds')
    this.#commitBytes = this.#histogram('tq_commit_bytes')
    this.#commitFacts = this.#histogram('tq_commit_facts')
  }

  /** Says where to read what is not counted here. */
  collectFrom(collect: () => Promise<MetricsSnapshot>): void {
    this.#collect = collect
  }

  fact(fact: Fact): void {
    this.#facts.add(fact)
  }

  committed({ ms, bytes, factCount }: CommitFigures): void {
    this.#commitSeconds.observe(ms / 1_000)
    this.#commitBytes.observe(bytes)
    this.#commitFacts.observe(factCount)
  }

  answered(verb: Verb, code: ErrorCode | 'OK'): void {
    increment(this.#answers, `${verb} ${code}`)
    if (verb === 'claim' && code !== 'OK') this.#refusedClaims += 1
  }

  connection(event: ConnectionEvent): void {
    this.#connections[event] += 1
  }

  stalled(ms: number): void {
    this.#stalls += 1
    this.#stallMs += ms
  }

  /** @param what The kind of record, one of few. */
  damaged(what: string): void {
    increment(this.#damaged, what)
  }

  /** The text for a monitoring system. Whoever asks while it is being made gets the same. */
  scrape(): Promise<Scrape> {
    this.#scraping ??= this.#scrape().finally(() => (this.#scraping = undefined))
    return this.#scraping
  }

  async #scrape(): Promise<Scrape> {
    const snapshot = await this.#collect?.()
    this.#handOverCounts()
    if (snapshot !== undefined) this.#handOverSnapshot(snapshot)
    const [own, process] = await Promise.all([this.#registry.metrics(), processMetrics().metrics()])
    return { contentType: this.#registry.contentType, text: `${own}\n${process}` }
  }

  #handOverCounts(): void {
    const facts = this.#facts
    const transitions = this.#fresh('tq_transitions_total')
    for (const kind of Object.keys(FACT_KINDS) as FactKind[]) {
      transitions.inc({ fact: kind }, facts.of(kind))
    }
    const ends = this.#fresh('tq_task_ends_total')
    for (const { state, reason, count } of facts.ends()) ends.inc({ state, reason }, count)
    const assignments = this.#fresh('tq_assignments_total')
    assignments.inc({ outcome: 'succeeded' }, facts.of('task-leased'))
    assignments.inc({ outcome: 'refused' }, this.#refusedClaims)
    const retries = this.#fresh('tq_retries_total')
    for (const [reason, count] of facts.retries()) retries.inc({ reason }, count)
    const orphans = this.#fresh('tq_orphans_total')
    for (const [reason, count] of facts.orphans()) orphans.inc({ reason }, count)
    this.#fresh('tq_timeouts_total').inc(facts.timeouts)
    this.#fresh('tq_workers_lost_total').inc(facts.of('worker-lost'))
    const requests = this.#fresh('tq_requests_total')
    for (const [key, count] of this.#answers) {
      const [verb = '', code = ''] = key.split(' ')
      requests.inc({ verb, code }, count)
    }
    const connections = this.#fresh('tq_connections_total')
    for (const [event, count] of Object.entries(this.#connections))
      connections.inc({ event }, count)
    const damaged = this.#fresh('tq_damaged_records_total')
    for (const [what, count] of this.#damaged) damaged.inc({ what }, count)
    this.#fresh('tq_stalls_total').inc(this.#stalls)
    this.#fresh('tq_stall_seconds_total').inc(this.#stallMs / 1_000)
  }

  #handOverSnapshot(snapshot: MetricsSnapshot): void {
    this.#handOverQueues(snapshot.queues)
    const workers = this.#gauge('tq_workers')
    for (const health of ['ok', 'late'] as const) {
      workers.set({ health }, snapshot.workers.filter((worker) => worker.health === health).length)
    }
    const slots = snapshot.workers.reduce((sum, worker) => sum + worker.slots, 0)
    this.#gauge('tq_worker_slots').set(slots)
    this.#gauge('tq_parked_claims').set(snapshot.parkedClaims)
    this.#gauge('tq_connections').set(snapshot.connections)
    this.#gauge('tq_durable_lsn').set(snapshot.durableLsn)
    this.#gauge('tq_store_bytes').set(snapshot.storeBytes)
    this.#gauge('tq_journal_bytes').set(snapshot.journalBytes)
    this.#gauge('tq_disk_free_bytes').set(snapshot.freeBytes)
  }

  #handOverQueues(queues: readonly QueueStats[]): void {
    const tasks = this.#emptied('tq_tasks')
    const ages = this.#emptied('tq_oldest_ready_age_seconds')
    const paused = this.#emptied('tq_queue_paused')
    const totals = this.#fresh('tq_queue_tasks_total')
    const oldestMs = new Map<string, number>()
    for (const stats of queues) {
      const queue = this.#queueLabels.labelOf(stats.queue)
      for (const state of LIVE) tasks.inc({ queue, state }, stats[state])
      if (stats.kept !== null) tasks.inc({ queue, state: 'kept' }, stats.kept)
      if (stats.dead !== null) tasks.inc({ queue, state: 'dead' }, stats.dead)
      paused.inc({ queue }, stats.paused ? 1 : 0)
      for (const outcome of OUTCOMES) totals.inc({ queue, outcome }, stats[`${outcome}Total`])
      oldestMs.set(queue, Math.max(oldestMs.get(queue) ?? 0, stats.oldestReadyAgeMs ?? 0))
    }
    for (const [queue, ms] of oldestMs) ages.set({ queue }, ms / 1_000)
  }

  /** A counter set back to nothing, to be filled with what was counted here. */
  #fresh(name: MetricNameOf<'counter'>): Counter {
    const counter = this.#counters.get(name) as Counter
    counter.reset()
    return counter
  }

  #emptied(name: MetricNameOf<'gauge'>): Gauge {
    const gauge = this.#gauge(name)
    gauge.reset()
    return gauge
  }

  #gauge(name: MetricNameOf<'gauge'>): Gauge {
    return this.#gauges.get(name) as Gauge
  }

  #histogram(name: MetricNameOf<'histogram'>): Histogram {
    const { help } = METRICS[name]
    return new Histogram({ name, help, buckets: [...BUCKETS[name]], registers: [this.#registry] })
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
