// The program behind "tq-admin store": looks after a data directory that no broker has open. It
// writes one JSON object a line, and opens LevelDB, so it may be ended by one of LevelDB's asserts.

import { rmSync, writeSync } from 'node:fs'
import { unreachable } from '@tq/core'
import { backUpStore } from './offline-backup.ts'
import { checkStore } from './check-store.ts'
import { Refused, refusedBySystem } from './refused.ts'
import { restoreBackup } from './restore-backup.ts'
import { salvageStore } from './salvage-store.ts'
import { parseTask, type UpkeepTask } from './upkeep-task.ts'
import { verifyBackup } from './verify-backup.ts'

/** Done and sound; findings; refused. What ends otherwise is a bug, or LevelDB's own end. */
const EXIT_CODES = { ok: 0, findings: 1, refused: 3 } as const
/** Lines of progress at most this often, in records. */
const PROGRESS_EVERY = 50_000

const temporary = new Set<string>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const path of temporary) rmSync(path, { recursive: true, force: true })
    process.kill(process.pid, signal)
  })
}

process.exitCode = EXIT_CODES[await run(process.argv.slice(2))]

async function run(args: readonly string[]): Promise<keyof typeof EXIT_CODES> {
  try {
    return await carryOut(parseTask(args))
  } catch (error) {
    const { code, message } = error instanceof Refused ? error : refusedBySystem(error)
    tell({ kind: 'refused', code, message })
    return 'refused'
  }
}

async function carryOut(task: UpkeepTask): Promise<keyof typeof EXIT_CODES> {
  const onMade = (root: string): void => {
    temporary.add(root)
    // Whoever started this removes it if LevelDB ends the process.
    tell({ kind: 'temporary', path: root })
  }
  const events = {
    onFinding: (finding: object): void => tell({ kind: 'finding', ...finding }),
    onProgress: progressTeller(),
  }
  switch (task.verb) {
    case 'check': {
      const report = await checkStore(task.directory, { ...task, onMade }, events)
      tell({ kind: 'done', report })
      return report.isSound ? 'ok' : 'findings'
    }
    case 'salvage': {
      const report = await salvageStore(task, { ...task, onMade }, events)
      tell({ kind: 'done', report })
      return report.isWhole ? 'ok' : 'findings'
    }
    case 'backup':
      tell({
        kind: 'done',
        report: await backUpStore(task, { ...task, onMade }, events.onProgress),
      })
      return 'ok'
    case 'verify':
      tell({ kind: 'done', report: await verifyBackup(task.file) })
      return 'ok'
    case 'restore':
      tell({ kind: 'done', report: await restoreBackup(task, events.onProgress) })
      return 'ok'
    default:
      return unreachable(task)
  }
}

/** Tells of the beginning of each part, and now and then how far it is. */
function progressTeller(): (part: string, count: number) => void {
  let toldPart = ''
  let toldCount = 0
  return (part, count) => {
    if (part === toldPart && count - toldCount < PROGRESS_EVERY) return
    toldPart = part
    toldCount = count
    tell({ kind: 'progress', part, count })
  }
}

/** At once: if LevelDB ends the process, what was found before has been told. */
function tell(line: object): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
}
