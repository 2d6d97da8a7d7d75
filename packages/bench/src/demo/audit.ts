// After the work: was every file measured right, was nothing lost, has nothing two results?

import { stat } from 'node:fs/promises'
import type { TaskInfo, TqClient } from '@tq/client'
import { type FileMeasure, measure } from './handlers.ts'

export interface Audit {
  readonly attempts: number
  readonly leasesRecovered: number
  /** Files that were changed while the demonstration ran, so that nothing can be said of them. */
  readonly changed: readonly string[]
  /** What is wrong; empty if all is well. */
  readonly faults: readonly string[]
}

/** A measured file and the task that measured it. */
export interface Measured {
  readonly id: string
  readonly path: string
  readonly result: FileMeasure
}

export async function audit(
  client: TqClient,
  work: {
    readonly queue: string
    readonly measured: readonly Measured[]
    /** Wall ms at which the work began. */
    readonly sinceMs: number
  },
): Promise<Audit> {
  const { queue, measured, sinceMs } = work
  const faults: string[] = []
  const changed: string[] = []
  let attempts = 0
  let leasesRecovered = 0
  for (const { id, path, result } of measured) {
    const expected = await measure(path)
    if (JSON.stringify(expected) !== JSON.stringify(result)) {
      const { mtimeMs } = await stat(path)
      const text = `${path}: the result of task ${id} differs from a direct computation`
      // A file that somebody saved meanwhile has rightly another hash now.
      if (mtimeMs > sinceMs) changed.push(path)
      else faults.push(text)
    }
    const task = await client.get(id)
    attempts += task.attempt
    leasesRecovered += task.losses
    const problem = problemOf(task)
    if (problem !== undefined) faults.push(`${path}: task ${id} ${problem}`)
  }
  const ids = new Set(measured.map(({ id }) => id))
  if (ids.size !== measured.length) faults.push('two files share one task')
  const strays = await strayTasks(client, queue, ids)
  if (strays.length > 0) faults.push(`tasks that nobody asked for: ${strays.join(', ')}`)
  return { attempts, leasesRecovered, changed, faults }
}

/** A task is well if it ended once, completed, by its last attempt. */
function problemOf(task: TaskInfo): string | undefined {
  if (task.state !== 'completed') return `is ${task.state}, not completed`
  const completions = (task.history ?? [])
    .flatMap(({ transitions }) => transitions)
    .filter(({ state }) => state === 'completed').length
  return completions === 1 ? undefined : `was completed ${completions} times`
}

async function strayTasks(
  client: TqClient,
  queue: string,
  known: ReadonlySet<string>,
): Promise<string[]> {
  const strays: string[] = []
  for await (const row of client.listAll({ queue, limit: 1_000 })) {
    if (row.type === 'measure-file' && !known.has(row.id)) strays.push(row.id)
  }
  return strays
}
