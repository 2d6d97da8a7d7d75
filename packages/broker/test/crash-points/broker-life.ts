// The life of a broker under strace: it starts, serves a load, is asked to stop; or it ends before.

import type { Exit } from '../end-to-end/test-process.ts'
import type { CrashSite } from './crash-site.ts'
import type { StracedBroker } from './straced-broker.ts'

/** Requests of one load. */
const OPERATIONS = 250
/** Mostly small, but a load or two fill LevelDB's write buffer. */
const PAYLOAD_BYTES_MAX = 60_000
/** A broker that neither ends nor answers for so long hangs, in ms. */
const HANG_MS = 60_000

export interface Life {
  readonly wasListening: boolean
  /** When it was asked to stop, in ms since the Unix epoch; undefined if it ended before. */
  readonly stoppedAtMs: number | undefined
  readonly exit: Exit
  readonly exitedAtMs: number
  /** True if it had to be killed by hand. */
  readonly hung: boolean
}

export async function liveThrough(
  broker: StracedBroker,
  site: CrashSite,
  seed: number,
): Promise<Life> {
  let hung = false
  const timer = setTimeout(() => {
    hung = true
    void broker.kill()
  }, HANG_MS)
  let exitedAtMs = 0
  let stoppedAtMs: number | undefined
  const exited = broker.exited.finally(() => (exitedAtMs = Date.now()))
  const address = await broker.listening()
  if (address !== undefined) {
    const load = { seed, operations: OPERATIONS, payloadBytesMax: PAYLOAD_BYTES_MAX }
    await site.ledger.drive(address, load)
    // The way out has calls as well.
    if (broker.isRunning) stoppedAtMs = Date.now()
    broker.stop()
  }
  const exit = await exited
  clearTimeout(timer)
  return { wasListening: address !== undefined, stoppedAtMs, exit, exitedAtMs, hung }
}
