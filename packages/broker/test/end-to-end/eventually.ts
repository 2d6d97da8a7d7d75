// Waiting for a condition instead of for a time.

export interface EventuallyOptions {
  /** When to give up, in ms; generous, since machines that run tests are busy. */
  readonly deadlineMs?: number
}

const DEADLINE_MS = 15_000
const PAUSE_MS = 10

/** Repeats `check` until it does not throw any more; at the deadline, its last error is thrown. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<T> {
  const untilMs = performance.now() + (options.deadlineMs ?? DEADLINE_MS)
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > untilMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

/** Milliseconds that `act` takes. */
export async function durationMs(act: () => Promise<unknown>): Promise<number> {
  const sinceMs = performance.now()
  await act()
  return performance.now() - sinceMs
}
