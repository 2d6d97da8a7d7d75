// One crash point: the broker is killed at the n-th call of a kind, and what was acknowledged is there.

import { liveThrough } from './broker-life.ts'
import type { CrashSite } from './crash-site.ts'
import { type Injection, StracedBroker } from './straced-broker.ts'

export interface PointResult {
  /** False: the call did not come so often. */
  readonly hasFired: boolean
  /** Whether clients were served already. */
  readonly wasListening: boolean
  readonly violations: readonly string[]
  /** The sentence with which the store refused to open afterwards. */
  readonly refusal: string | undefined
}

export async function killAt(
  site: CrashSite,
  injection: Injection,
  seed: number,
): Promise<PointResult> {
  const broker = new StracedBroker(site.directory, site.traceFile, injection)
  const { wasListening, exit, hung } = await liveThrough(broker, site, seed)
  const { violations, refusal } = await site.investigate()
  const isOdd = exit.signal !== 'SIGKILL' && exit.code !== 0
  return {
    hasFired: exit.signal === 'SIGKILL' && !hung,
    wasListening,
    refusal,
    violations: [
      ...violations,
      ...(refusal === undefined ? [] : [`the store was refused: ${refusal}`]),
      ...(hung ? [`it hung: ${broker.output}`] : []),
      ...(isOdd ? [`it ended with ${exit.code ?? exit.signal}: ${broker.output}`] : []),
    ],
  }
}
