// The system's monotonic clock: one for all processes of the machine, so that they can be compared.

/** In µs since the machine has started. */
export function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000_000 + nanoseconds / 1_000
}
