// The demonstration: real files, one broker, two workers, two kills, every result checked.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { TqClient } from '@tq/client'
import { audit, type Audit, type Measured } from './audit.ts'
import { filesUnder, type InputFile } from './files.ts'
import type { FileMeasure, Report } from './handlers.ts'
import { freePort, Processes } from './processes.ts'
import { Progress } from './progress.ts'

const QUEUE = 'demo'
/** Short, so that the work of a killed worker comes back while you watch. */
const LEASE_MS = 1_500
/** Share of results after which the worker and then the broker is killed. */
const KILL_WORKER_AT = 0.2
const KILL_BROKER_AT = 0.5
/** How often progress is looked at, in ms. */
const POLL_MS = 25
/** Results that one merge task takes: its payload stays far below a mebibyte. */
const MERGE_PARTS_MAX = 1_000

async function main(): Promise<number> {
  const folders = process.argv.slice(2)
  const files = await filesUnder(folders.length > 0 ? folders : ['packages', 'docs'])
  if (files.length === 0) {
    process.stderr.write(
      `no files under ${folders.join(', ')}; name a folder: make demo FILES=dir\n`,
    )
    return 2
  }
  const directory = await mkdtemp(join(tmpdir(), 'tq-demo-'))
  const port = await freePort()
  const processes = new Processes({ directory, port, queue: QUEUE, leaseMs: LEASE_MS })
  const client = new TqClient({ address: `127.0.0.1:${port}`, name: 'demo' })
  try {
    const outcome = await run({ files, processes, client })
    printOutcome(outcome)
    if (outcome.audit.faults.length > 0) {
      process.stderr.write(`\nlogs and data stay in ${directory}\n`)
      return 1
    }
    await client.close()
    await processes.stopAll()
    await rm(directory, { recursive: true, force: true })
    return 0
  } finally {
    await client.close({ deadlineMs: 0 })
    await processes.stopAll()
  }
}

interface Stage {
  readonly files: readonly InputFile[]
  readonly processes: Processes
  readonly client: TqClient
}

interface Outcome {
  readonly report: Report
  readonly audit: Audit
  readonly files: number
  readonly tasks: number
  readonly seconds: number
}

async function run(stage: Stage): Promise<Outcome> {
  const { files, processes, client } = stage
  const progress = new Progress()
  processes.startBroker()
  processes.startWorker('worker-1')
  processes.startWorker('worker-2')
  await client.ping()
  progress.tell('a broker and two workers run, each a process of its own')

  const beganAtMs = Date.now()
  const sinceMs = performance.now()
  const handles = await client.enqueueMany(
    QUEUE,
    files.map(({ path, bytes }) => ({
      type: 'measure-file',
      payload: { path },
      options: { priority: priorityOf(bytes) },
    })),
  )
  progress.tell(`${files.length} tasks are on disk, the largest files first`)

  await watch(stage, progress)
  const measured: Measured[] = []
  for (const [index, handle] of handles.entries()) {
    const result = (await handle.result()) as FileMeasure
    measured.push({ id: handle.id, path: files[index]?.path ?? '', result })
  }
  const { report, tasks } = await mergeAll(client, measured)
  const seconds = (performance.now() - sinceMs) / 1_000
  progress.tell('all results are in; checking each against a direct computation')
  const checked = await audit(client, { queue: QUEUE, measured, sinceMs: beganAtMs })
  return { report, audit: checked, files: files.length, tasks: files.length + tasks, seconds }
}

/** Follows the work to its end, and kills a worker and the broker on the way. */
async function watch(stage: Stage, progress: Progress): Promise<void> {
  const { files, processes, client } = stage
  const total = files.length
  const kills = [
    { at: Math.floor(total * KILL_WORKER_AT), kill: () => killWorker(stage, progress) },
    { at: Math.floor(total * KILL_BROKER_AT), kill: () => killBroker(processes, progress) },
  ]
  for (;;) {
    const { queues } = await client.stats(QUEUE)
    const queue = queues[0]
    const open = queue === undefined ? total : queue.queued + queue.running + queue.retrying
    const done = total - open
    progress.show(done, total)
    const next = kills[0]
    if (next !== undefined && done >= next.at) {
      kills.shift()
      await next.kill()
    } else if (open === 0) {
      return
    } else {
      await delay(POLL_MS)
    }
  }
}

async function killWorker({ client, processes }: Stage, progress: Progress): Promise<void> {
  // The one that holds most: so that there is something to recover.
  const workers = [...(await client.workers())].sort((a, b) => b.leases - a.leases)
  const victim = workers[0]?.name ?? 'worker-1'
  const pid = await processes.kill(victim)
  progress.tell(`SIGKILL to ${victim} (process ${pid}); its tasks come back when their leases end`)
  processes.startWorker(victim)
}

async function killBroker(processes: Processes, progress: Progress): Promise<void> {
  const pid = await processes.kill('broker')
  progress.tell(`SIGKILL to the broker (process ${pid}); starting it again on the same data`)
  processes.startBroker()
}

/** One last task merges everything; more files than fit into one payload are merged in parts. */
async function mergeAll(
  client: TqClient,
  measured: readonly Measured[],
): Promise<{ report: Report; tasks: number }> {
  let parts: readonly (FileMeasure | Report)[] = measured.map(({ result }) => result)
  let tasks = 0
  while (parts.length > MERGE_PARTS_MAX) {
    const chunks: (readonly (FileMeasure | Report)[])[] = []
    for (let at = 0; at < parts.length; at += MERGE_PARTS_MAX) {
      chunks.push(parts.slice(at, at + MERGE_PARTS_MAX))
    }
    const handles = await client.enqueueMany(
      QUEUE,
      chunks.map((chunk) => ({ type: 'merge-report', payload: { parts: chunk } })),
    )
    parts = (await Promise.all(handles.map((handle) => handle.result()))) as Report[]
    tasks += handles.length
  }
  const last = await client.enqueue(QUEUE, 'merge-report', { parts })
  return { report: (await last.result()) as Report, tasks: tasks + 1 }
}

/** 64 for an empty file, 8 more for each doubling of its size. */
function priorityOf(bytes: number): number {
  return Math.min(255, 64 + 8 * Math.ceil(Math.log2(bytes + 1)))
}

function printOutcome(outcome: Outcome): void {
  const { report, audit: checked, files, tasks, seconds } = outcome
  const rows: [string, string][] = [
    ['files', String(files)],
    ['tasks', String(tasks)],
    ['attempts', String(checked.attempts + tasks - files)],
    ['leases recovered', String(checked.leasesRecovered)],
    ['tasks/s', (tasks / seconds).toFixed(0)],
    ['seconds', seconds.toFixed(1)],
    ['bytes', `${report.bytes} (${report.gzipBytes} gzipped)`],
    ['lines, words', `${report.lines}, ${report.words}`],
    ['largest file', relative('.', report.largest)],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  process.stdout.write('\n')
  for (const [name, value] of rows) process.stdout.write(`  ${name.padEnd(width)}  ${value}\n`)
  for (const path of checked.changed) {
    process.stdout.write(`  ${path} was changed meanwhile, so its hash is not compared\n`)
  }
  if (report.files !== files) {
    process.stderr.write(`the report covers ${report.files} of ${files} files\n`)
  }
  if (checked.faults.length > 0) {
    process.stderr.write(`\n${checked.faults.length} faults:\n`)
    for (const fault of checked.faults.slice(0, 20)) process.stderr.write(`  ${fault}\n`)
    return
  }
  process.stdout.write(
    `\nEvery hash is right, no task was lost, none has two results, though a worker and the broker\n` +
      `were killed on the way.\n\nNext:\n` +
      `  make dev                                    a broker and a worker to play with\n` +
      `  node packages/cli/dist/main.js --help       what an operator can do\n` +
      `  make test                                   every promise, tested\n`,
  )
}

process.exitCode = await main()
