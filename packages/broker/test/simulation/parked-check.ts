// No claim is parked beside work that it could have.

import type { Arrivals } from './arrivals.ts'
import { WORKER_DEAD_MS } from './broker-options.ts'
import { shortOf } from './heard.ts'
import type { Laws } from './laws.ts'
import type { Trace } from './trace.ts'

export function checkParked(
  trace: Trace,
  {
    laws,
    arrivals,
    nowMs,
  }: { readonly laws: Laws; readonly arrivals: Arrivals; readonly nowMs: number },
): void {
  for (const { session, claim } of arrivals.waitingClaims(nowMs)) {
    const ready = claim.queues.some((queue) => laws.firstFor(queue, { session, claim }))
    if (ready && nowMs + 1 - arrivals.contactMs(session) >= WORKER_DEAD_MS) {
      // Who has been silent for so long is as good as dead: the claim is answered empty.
      arrivals.unparked(session, claim.claim)
      continue
    }
    const who = (): string => `claim ${claim.claim} of ${shortOf(session)}`
    trace.law(!ready, () => `I12: ${who()} is parked beside ready work`)
  }
}
