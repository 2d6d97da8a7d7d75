// `broker wait`: until a broker answers and takes new work, for scripts that have just started one.

import { setTimeout as delay } from 'node:timers/promises'
import { type TqClient, TqError } from '@tq/client'
import { systemClock } from '@tq/core'
import type { Command } from 'commander'
import { call, STARTING_MS, withClient } from '../connect.ts'
import { showDuration } from '../duration.ts'
import { example } from '../help.ts'
import { printResult, type Run } from '../run.ts'

/** If the person named no --timeout, in ms. */
const WAIT_MS = 30_000
/** How often a broker that answers is asked whether it is ready, in ms. */
const LOOK_MS = 200

export function addBrokerWait(broker: Command, run: Run): void {
  broker
    .command('wait')
    .summary('wait until the broker is ready')
    .description(
      'Waits until the broker answers and takes new work: for scripts that have just started one. Exits with 6 if that takes longer than --timeout (here 30s if it is left out).',
    )
    .addHelpText('after', example('tq-admin broker wait --timeout 1m'))
    .action(() => waitForBroker(run))
}

async function waitForBroker(run: Run): Promise<void> {
  const { timeout: patienceMs = WAIT_MS } = run.options()
  const sinceMs = systemClock.monotonicMs()
  const waitedMs = (): number => Math.round(systemClock.monotonicMs() - sinceMs)
  const doubts = setTimeout(() => run.terminal.note('no broker answers yet; waiting'), STARTING_MS)
  try {
    await withClient(
      run,
      async (client) => {
        clearTimeout(doubts)
        await readiness(run, client, sinceMs + patienceMs)
      },
      { patienceMs },
    )
  } finally {
    clearTimeout(doubts)
  }
  const ms = waitedMs()
  run.terminal.note(`the broker is ready, after ${showDuration(ms)}`)
  printResult(run, { ready: true, waitedMs: ms }, () => '')
}

/** @throws {TqError} `TIMEOUT` with the reasons of the broker. */
async function readiness(run: Run, client: TqClient, untilMs: number): Promise<void> {
  for (;;) {
    const { broker } = await client.stats(undefined, call(run))
    const reasons = broker.health?.notReady ?? []
    if (reasons.length === 0) return
    if (systemClock.monotonicMs() >= untilMs) {
      throw new TqError('TIMEOUT', `the broker answers, but is not ready: ${reasons.join('; ')}`)
    }
    await delay(LOOK_MS, undefined, call(run))
  }
}
