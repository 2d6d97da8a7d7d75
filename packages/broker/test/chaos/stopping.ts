// Whether this process was asked to stop, and waits that end when it is.

import { once } from 'node:events'

export interface Stopping {
  readonly isAsked: boolean
  readonly asked: Promise<unknown>
}

/** Asked by SIGTERM, as a supervisor does. */
export function stopOnSignal(): Stopping {
  const stopping = { isAsked: false, asked: Promise.resolve<unknown>(undefined) }
  stopping.asked = once(process, 'SIGTERM').then(() => (stopping.isAsked = true))
  return stopping
}

/** Waits so long, or until it is asked to stop. */
export async function until(stopping: Stopping, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([over, stopping.asked])
  clearTimeout(timer)
}
