// The schema: its defaults are whole and agree with those of the parts that use them.

import { limits } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { brokenRules } from './rules.ts'
import { optionsOf } from './outline.ts'
import { brokerConfig, type BrokerConfig } from './config.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../engine/queue.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../engine/state.ts'
import { LEVEL_OPTIONS } from '../storage/level-options.ts'

const defaults: BrokerConfig = brokerConfig.parse({})

describe('the defaults', () => {
  it('are those of queues, engine, limits and LevelDB', () => {
    expect(defaults.queues.defaults).toEqual(DEFAULT_QUEUE_SETTINGS)
    expect(defaults.limits.tasksMax).toBe(DEFAULT_ENGINE_OPTIONS.tasksMax)
    expect(defaults.workers.deadMs).toBe(DEFAULT_ENGINE_OPTIONS.workerDeadMs)
    expect(defaults.workers.sessionIdleMs).toBe(DEFAULT_ENGINE_OPTIONS.sessionIdleMs)
    expect(defaults.limits.frameBytesMax).toBe(limits.FRAME_BYTES_MAX)
    expect(defaults.storage.cacheBytes).toBe(LEVEL_OPTIONS.cacheSize)
    expect(defaults.storage.writeBufferBytes).toBe(LEVEL_OPTIONS.writeBufferSize)
  })

  it('break no rule', () => {
    expect(brokenRules(defaults)).toEqual([])
  })

  it('let only this machine in', () => {
    expect([defaults.host, defaults.http.host]).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(defaults.allowPlaintext).toBe(false)
  })

  it('are within the range of each option', () => {
    for (const { facts } of optionsOf(brokerConfig)) {
      if (facts.range === undefined) continue
      const [min, max] = facts.range
      expect(facts.initial).toBeGreaterThanOrEqual(min)
      expect(facts.initial).toBeLessThanOrEqual(max)
    }
  })
})

describe('a map of timeouts', () => {
  const accepts = (timeouts: unknown): boolean =>
    brokerConfig.safeParse({ queues: { defaults: { timeouts } } }).success

  it('takes each kind of policy', () => {
    const bounds = { floorMs: '1s', ceilingMs: '1h' }
    expect(accepts({ '*': { kind: 'fixed', ms: '2h' } })).toBe(true)
    expect(accepts({ video: { kind: 'duration-hint', factor: 3, ...bounds } })).toBe(true)
    expect(accepts({ file: { kind: 'size-hint', msPerMiB: 10, ...bounds } })).toBe(true)
  })

  it('refuses a policy whose floor is above its ceiling', () => {
    const policy = { kind: 'duration-hint', factor: 3, floorMs: '1h', ceilingMs: '1s' }
    expect(accepts({ video: policy })).toBe(false)
  })

  it('refuses more types than a queue may have policies for', () => {
    const count = limits.TIMEOUT_POLICIES_PER_QUEUE_MAX
    const policies = (number: number): unknown =>
      Object.fromEntries(
        Array.from({ length: number }, (_, at) => [`t${at}`, { kind: 'fixed', ms: 1 }]),
      )
    expect(accepts(policies(count))).toBe(true)
    expect(accepts(policies(count + 1))).toBe(false)
  })
})
