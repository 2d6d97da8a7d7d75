// Where the log goes: standard output, without ever holding up the broker.

import { once } from 'node:events'
import { pino, type DestinationStream } from 'pino'

/** Lines that wait for a slow reader, in bytes; what comes beyond is dropped, not waited for. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024

export interface LogOutput {
  readonly stream: DestinationStream
  /** Resolves when all lines are written, or when the time is over. */
  readonly flush: (withinMs: number) => Promise<void>
}

export function standardOutput(): LogOutput {
  // Synchronous writes to a pipe that nobody reads would stop the broker, and with it all leases.
  const stream = pino.destination({ dest: 1, sync: false, maxLength: WAITING_BYTES_MAX })
  // A reader that has gone is no reason to stop.
  stream.on('error', () => undefined)
  return {
    stream,
    flush: async (withinMs) => {
      const flushed = new Promise<void>((resolve) => stream.flush(() => resolve()))
      await Promise.race([flushed, once(AbortSignal.timeout(withinMs), 'abort')])
    },
  }
}
