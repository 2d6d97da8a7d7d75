// One failing call: the broker is gone within a second, has said why, and nothing acknowledged is lost.

import { type Life, liveThrough } from './broker-life.ts'
import type { CrashSite } from './crash-site.ts'
import type { PointResult } from './kill-point.ts'
import { type Injection, StracedBroker } from './straced-broker.ts'

/** From the failed call to the end of the process, in ms. */
const END_MS_MAX = 1_000
/**
 * Where a failure changes nothing that tq promises: LevelDB's own log for people, the reports of
 * earlier starts, what LevelDB or a start has no more use for (and the list of files in which it
 * looks for that), and directories that stand already.
 */
const HARMLESS: readonly RegExp[] = [
  /\/store\/LOG(\.old)?\b/,
  /\/startup-reports\.json/,
  /\/store", O_RDONLY\|O_NONBLOCK\|O_CLOEXEC\|O_DIRECTORY\)/,
  /^(unlink|rmdir|mkdir)\(/,
]
/** At the end of a broker the mark and the lock that stand are older, but true. */
const HARMLESS_AT_THE_END = /\/(high-water|lock)\b/

export interface ErrorResult extends PointResult {
  /** The call as strace saw it. */
  readonly failedCall: string | undefined
  /** From the failure to the end of the process, in ms; undefined if it went on. */
  readonly endMs: number | undefined
}

export async function failAt(
  site: CrashSite,
  injection: Injection,
  seed: number,
): Promise<ErrorResult> {
  const broker = new StracedBroker(site.directory, site.traceFile, injection)
  const life = await liveThrough(broker, site, seed)
  const failed = failedCallOf(await broker.trace(), life)
  const ackedLsn = site.ledger.lsn
  const { violations, refusal } = await site.investigate()
  // A disk that says that it has written, and has not: the next start finds that out.
  const lies = injection.effect.startsWith('retval')
  const isJudged = failed !== undefined && !lies
  const endedByIt = failed !== undefined && life.exit.code !== 0
  return {
    hasFired: failed !== undefined,
    wasListening: life.wasListening,
    failedCall: failed?.call,
    endMs: endedByIt ? Math.round(life.exitedAtMs - failed.atMs) : undefined,
    refusal,
    violations: [
      ...violations,
      ...(refusal === undefined || lies ? [] : [`the store was refused: ${refusal}`]),
      ...(isJudged ? judge({ life, failed, ackedLsn, output: broker.output }) : []),
    ],
  }
}

interface FailedCall {
  readonly call: string
  readonly atMs: number
}

/** Threads count for themselves: of several failed calls, the first that matters. */
function failedCallOf(trace: string, life: Life): FailedCall | undefined {
  const calls = trace.split('\n').flatMap((line) => {
    const match = /^\d+ +(\d+\.\d+) (.*\(INJECTED\))$/.exec(line)
    return match === null ? [] : [{ atMs: Number(match[1]) * 1_000, call: match[2] as string }]
  })
  return calls.find((call) => !isHarmless(call, life)) ?? calls[0]
}

function isHarmless({ call, atMs }: FailedCall, { stoppedAtMs = Infinity }: Life): boolean {
  if (HARMLESS.some((pattern) => pattern.test(call))) return true
  return atMs >= stoppedAtMs && HARMLESS_AT_THE_END.test(call)
}

interface Scene {
  readonly life: Life
  readonly failed: FailedCall
  /** The newest commit that anybody had an answer from. */
  readonly ackedLsn: number
  readonly output: string
}

function judge({ life, failed, ackedLsn, output }: Scene): string[] {
  const { exit, exitedAtMs } = life
  if (/"event":"crashed"|a bug in tq|unhandled/i.test(output)) return [`it crashed: ${output}`]
  if (life.hung) return [`it hung after ${failed.call}: ${output}`]
  if (exit.signal !== null) return [`it ended by ${exit.signal}: ${output}`]
  if (exit.code === 0) {
    // The directory is synced for the reports of earlier starts, too: then their report says so.
    const isTold = isHarmless(failed, life) || output.includes('could not be kept')
    return isTold ? [] : [`it went on after ${failed.call}: ${output}`]
  }
  const faults: string[] = []
  const endMs = exitedAtMs - failed.atMs
  if (endMs > END_MS_MAX) faults.push(`it ended ${Math.round(endMs)} ms after ${failed.call}`)
  const reason = /"event":"(?:failed|start-refused)".*?"reason":"([^"]*)/.exec(output)?.[1]
  if (reason === undefined) return [...faults, `its log has no reason: ${output}`]
  if (!/error|failed|cannot|E[A-Z]{2,}/i.test(reason)) faults.push(`it says only: ${reason}`)
  const failedLsn = /commit (\d+) failed/.exec(reason)?.[1]
  if (failedLsn !== undefined && ackedLsn >= Number(failedLsn)) {
    faults.push(`commit ${ackedLsn} was acknowledged after commit ${failedLsn} had failed`)
  }
  return faults
}
