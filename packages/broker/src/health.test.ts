// What the broker tells of itself: the same to each who asks, and of the time just past.

import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ManualScheduler } from '../test/manual-scheduler.ts'
import { type BrokerConfig, brokerConfig } from './config/config.ts'
import { Health, LOOP_WINDOW_MS } from './health.ts'

const CONFIG = brokerConfig.parse({}) as BrokerConfig
/** Longer than what a doctor calls blocked. */
const BLOCKED_MS = 600
/** What the monitor of the loop needs to see that it was blocked. */
const SEEN_MS = 100

describe('the delay of the event loop', () => {
  it('is the same for the next who asks', async () => {
    const { health } = aHealth()
    await block()

    const first = delayIn(health)
    const second = delayIn(health)

    expect(first).toBeGreaterThan(BLOCKED_MS / 2)
    expect(second).toBe(first)
  })

  it('is told for a whole window after it was over, and is forgotten after two', async () => {
    const { health, scheduler } = aHealth()
    await block()

    scheduler.pass(LOOP_WINDOW_MS)
    const later = delayIn(health)
    scheduler.pass(LOOP_WINDOW_MS)
    await pause(SEEN_MS)

    expect(later).toBeGreaterThan(BLOCKED_MS / 2)
    expect(delayIn(health)).toBeLessThan(BLOCKED_MS / 2)
  })

  it('leaves no timer behind', () => {
    const { health, scheduler } = aHealth()

    health.stop()

    expect(scheduler.waitingCount).toBe(0)
  })
})

function aHealth(): { readonly health: Health; readonly scheduler: ManualScheduler } {
  const scheduler = new ManualScheduler()
  const health = new Health(scheduler)
  onTestFinished(() => health.stop())
  health.readFrom({
    config: CONFIG,
    notReady: () => [],
    freeBytes: () => Infinity,
    journalBytes: () => 0,
    sessions: () => 0,
  })
  return { health, scheduler }
}

async function block(): Promise<void> {
  await pause(SEEN_MS)
  const untilMs = performance.now() + BLOCKED_MS
  while (performance.now() < untilMs);
  await pause(SEEN_MS)
}

function delayIn(health: Health): number {
  return health.describe()?.loopDelayMsP99 ?? 0
}
