// Commits to a store as fast as it can until it fails or is killed, and tells of each commit.

import type { Scheduler } from '@tq/core'
import { LevelStore } from '../../src/storage/level-store.ts'
import { committedBatch } from '../committed-batch.ts'

export type Report =
  | { readonly kind: 'committed'; readonly lsn: number }
  | { readonly kind: 'refused'; readonly by: string; readonly later: string; readonly read: string }
  | { readonly kind: 'not-opened'; readonly said: string }

const [directory = '', valueBytes = '100', commitCountMax = '1000000'] = process.argv.slice(2)
/** Marks at once instead of after a second, so that no test waits for it. */
const eager: Scheduler = {
  after: (_, callback) => {
    const timer = setTimeout(callback, 0)
    return { cancel: () => clearTimeout(timer) }
  },
  soon: (callback) => void setImmediate(callback),
}

process.on('disconnect', () => process.exit())
await run()

async function run(): Promise<void> {
  let failed: (said: string) => void = () => {}
  const failure = new Promise<string>((resolve) => (failed = resolve))
  const store = new LevelStore({
    directory,
    scheduler: eager,
    onFailure: (error) => failed(error.message),
  })
  const opened = await store.open().catch((error: unknown) => tell('not-opened', String(error)))
  if (opened === undefined) return
  const { ownership } = opened
  let lsn = opened.lsn
  const commit = (): Promise<string> => {
    const batch = committedBatch(lsn + 1, Number(valueBytes))
    return store.commit(ownership, lsn + 1, ownership.epoch, batch)
  }
  let outcome = 'committed'
  for (let count = 0; count < Number(commitCountMax) && outcome === 'committed'; count += 1) {
    outcome = await commit()
    if (outcome !== 'committed') break
    lsn += 1
    process.send?.({ kind: 'committed', lsn } satisfies Report)
  }
  const by = outcome === 'committed' ? await failure : outcome
  const later = await commit()
  const read = await store.getMany([Uint8Array.of(1)]).catch((error: unknown) => String(error))
  process.send?.({ kind: 'refused', by, later, read: String(read) } satisfies Report)
  await store.close()
}

function tell(kind: 'not-opened', said: string): undefined {
  process.send?.({ kind, said } satisfies Report)
}
