// What the holder of a task may say of its attempt: start, progress, complete, fail, release.

import { formatTaskId, type HeldTask, type TaskIdBytes } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { aTaskId, type ClaimWish, type TaskWish } from '../../test/task-builder.ts'
import { chancesFrom } from './chance.ts'
import { hexOf } from './held.ts'

const NO_JITTER = { kind: 'exponential', baseMs: 100, factor: 2, capMs: 1_000, jitter: 0 } as const

/** An engine with one held task. */
function holding(
  task: TaskWish = {},
  claim: ClaimWish = {},
): { rig: EngineRig; held: HeldTask; id: TaskIdBytes } {
  const rig = anEngine()
  const id = rig.add('mail', task)
  return { rig, id, held: rig.leaseOne(claim) }
}

function refused(code: string, index = 0): object {
  return { ok: 0, refused: [[index, code, expect.any(String)]] }
}

/** Each verb of a holder, with an item that would be accepted. */
const VERBS: Readonly<Record<string, (rig: EngineRig, held: HeldTask, actor?: string) => object>> =
  {
    start: (rig, held, actor) => rig.start([held], actor),
    progress: (rig, { id, token }, actor) =>
      rig.progress([{ id, token, percent: 5, note: undefined }], actor),
    complete: (rig, held, actor) => rig.complete([held], actor),
    fail: (rig, held, actor) => rig.fail([held], actor),
    release: (rig, held, actor) => rig.release([held], actor),
  }

describe.each(Object.entries(VERBS))('%s', (verb, speak) => {
  it('is refused for a task that nobody knows', () => {
    const rig = anEngine()

    expect(speak(rig, { id: aTaskId('mail', 1), token: 1 })).toMatchObject(refused('NOT_FOUND'))
  })

  it('is refused for a task that nobody holds', () => {
    const rig = anEngine()
    const id = rig.add('mail')

    expect(speak(rig, { id, token: 1 })).toMatchObject(refused('STALE_LEASE'))
  })

  it.each([
    ['an older', -1],
    ['a newer', 1],
  ])('is refused under %s token, and changes nothing', (_, offset) => {
    const { rig, id, held } = holding()
    rig.release([held])
    const again = rig.leaseOne()
    const before = rig.task(id)

    expect(speak(rig, { id, token: again.token + offset })).toMatchObject(refused('STALE_LEASE'))

    expect(rig.task(id)).toEqual(before)
    expect(rig.facts).toEqual([])
  })

  it('is refused to another principal than the holder', () => {
    const { rig, id, held } = holding({}, { start: false })

    expect(speak(rig, held, 'mallory')).toMatchObject(refused('FORBIDDEN'))
    expect(rig.stateOf(id)).toBe('assigned')
  })

  it('judges the token before the principal', () => {
    const { rig, id } = holding()

    expect(speak(rig, { id, token: 99 }, 'mallory')).toMatchObject(refused('STALE_LEASE'))
  })

  it('is refused under another token for a task that has ended, in memory and on disk', () => {
    const { rig, id, held } = holding()
    rig.complete([held])
    const stale = { id, token: held.token + 1 }

    expect(speak(rig, stale)).toMatchObject(refused('STALE_LEASE'))
    rig.commit()
    const onDisk = verb === 'progress' ? 'NOT_FOUND' : 'STALE_LEASE' // progress is not worth a look
    expect(speak(rig, stale)).toMatchObject(refused(onDisk))
  })

  it('tells which items went wrong, and does the others', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.add('mail')
    const first = rig.leaseOne({ start: false })
    const second = rig.leaseOne({ start: false })
    const verdict = speak(rig, first)
    expect(verdict).toMatchObject({ ok: 1 })
    expect(verdict).not.toHaveProperty('refused')

    const items = [{ id: aTaskId('mail', 77), token: 1 }, second]
    const bulk = {
      start: () => rig.start(items),
      progress: () => rig.progress(items.map((item) => ({ ...item, percent: 1, note: undefined }))),
      complete: () => rig.complete(items),
      fail: () => rig.fail(items),
      release: () => rig.release(items),
    }[verb] as () => object

    expect(bulk()).toMatchObject({ ok: 1, refused: [[0, 'NOT_FOUND', expect.any(String)]] })
  })
})

describe('a refusal', () => {
  it('names the task and what is wrong with it', () => {
    const { rig, id, held } = holding()
    const text = formatTaskId(id)

    expect(rig.complete([{ id, token: 44 }]).refused?.[0]?.[2]).toBe(
      `token 44 does not hold task ${text} any more`,
    )
    expect(rig.complete([held], 'mallory').refused?.[0]?.[2]).toBe(
      `task ${text} is leased to another principal`,
    )
  })
})

describe('start', () => {
  it('makes an assigned task run, and its execution timeout counts from now', () => {
    const { rig, id, held } = holding({ timeoutMs: 500 }, { start: false })
    rig.pass(3_000)

    expect(rig.start([held])).toEqual({ ok: 1 })

    expect(rig.task(id)).toMatchObject({ state: 'running', lease: { startedAtMs: rig.wallMs } })
    rig.pass(499).expire()
    expect(rig.stateOf(id)).toBe('running')
    rig.pass(1).expire()
    expect(rig.stateOf(id)).toBe('retrying')
  })

  it('of a running task has happened already', () => {
    const { rig, held } = holding()

    expect(rig.start([held])).toEqual({ ok: 0, already: [0] })
    expect(rig.facts).toEqual([])
  })

  it('is refused once somebody has asked to cancel the task', () => {
    const { rig, id, held } = holding({}, { start: false })
    rig.cancel([id])

    expect(rig.start([held])).toEqual(refused('INVALID_STATE'))
  })

  it('is refused for a task that this very attempt has ended', () => {
    const { rig, held } = holding()
    rig.complete([held])

    expect(rig.start([held])).toEqual(refused('INVALID_STATE'))
  })

  it('ends the time to live', () => {
    const { rig, id, held } = holding({ ttlMs: 100 }, { start: false })
    rig.start([held])
    rig.release([held])

    rig.pass(200).expire()

    expect(rig.stateOf(id)).toBe('queued')
  })
})

describe('progress', () => {
  it('is shown with the lease; what it leaves out stays', () => {
    const { rig, id, held } = holding()

    expect(rig.progress([{ ...held, percent: 10, note: 'reading' }])).toEqual({ ok: 1 })
    rig.progress([{ ...held, percent: undefined, note: 'writing' }])
    expect(rig.task(id).lease).toMatchObject({ percent: 10, note: 'writing' })
    rig.progress([{ ...held, percent: 60, note: undefined }])
    expect(rig.task(id).lease).toMatchObject({ percent: 60, note: 'writing' })
  })

  it('is forgotten with its attempt', () => {
    const { rig, id, held } = holding()
    rig.progress([{ ...held, percent: 10, note: 'reading' }])
    rig.release([held])
    rig.leaseOne()

    expect(rig.task(id).lease).not.toHaveProperty('percent')
    expect(rig.task(id).lease).not.toHaveProperty('note')
  })

  it('comes too late for an attempt that has ended', () => {
    const { rig, held } = holding()
    rig.complete([held])

    expect(rig.progress([{ ...held, percent: 1, note: undefined }])).toEqual(refused('STALE_LEASE'))
  })
})

describe('complete', () => {
  it('ends the task with its result', () => {
    const { rig, id, held } = holding()

    expect(rig.complete([{ ...held, result: Uint8Array.of(4, 2) }])).toEqual({ ok: 1 })

    expect(rig.task(id)).toMatchObject({
      state: 'completed',
      end: { reason: 'completed', atMs: rig.wallMs, result: Uint8Array.of(4, 2) },
    })
    expect(rig.state.leases.count).toBe(0)
  })

  it('is accepted of a task that was only assigned', () => {
    const { rig, id, held } = holding({}, { start: false })

    expect(rig.complete([held])).toEqual({ ok: 1 })
    expect(rig.stateOf(id)).toBe('completed')
  })

  it('that is sent again has happened already, in memory and on disk', () => {
    const { rig, held } = holding()
    rig.complete([held])

    expect(rig.complete([held])).toEqual({ ok: 0, already: [0] })
    rig.commit()
    expect(rig.complete([held])).toEqual({ ok: 0, already: [0] })
  })

  it('twice in one request is done once', () => {
    const { rig, held } = holding()

    expect(rig.complete([held, held])).toEqual({ ok: 1, already: [1] })
  })

  it('is refused of a task that this attempt has ended otherwise', () => {
    const { rig, held } = holding()
    rig.fail([{ ...held, retryable: false }])

    expect(rig.complete([held])).toEqual(refused('INVALID_STATE'))
  })

  it('is refused once somebody has asked to cancel the task', () => {
    const { rig, id, held } = holding()
    rig.cancel([id])

    expect(rig.complete([held])).toEqual(refused('INVALID_STATE'))
    expect(rig.stateOf(id)).toBe('running')
  })

  it('keeps who ended the task and under which token', () => {
    const { rig, held } = holding()
    rig.register('w1')
    rig.complete([held])
    rig.commit()

    expect(rig.ended.get(hexOf(held.id))?.end).toMatchObject({
      actor: 'alice',
      attempt: { attempt: 1, token: held.token, worker: 'w1', assignedAtMs: rig.wallMs },
    })
  })
})

describe('fail', () => {
  it('lets the task be tried again after a delay that grows', () => {
    const { rig, id } = holding({ retry: NO_JITTER, maxAttempts: 9 }, { leaseMs: 3_600_000 })
    let token = 1
    const delays: number[] = []
    for (let failures = 1; failures <= 6; failures += 1) {
      const [outcome] = rig.fail([{ id, token }]).outcomes
      expect(outcome?.[0]).toBe('retrying')
      const delayMs = outcome?.[1] as number
      delays.push(delayMs)
      expect(rig.task(id)).toMatchObject({
        failures,
        attempt: failures + 1,
        dueAtMs: rig.wallMs + delayMs,
      })
      rig.pass(delayMs - 1).expire()
      expect(rig.stateOf(id)).toBe('retrying')
      rig.pass(1).expire()
      token = rig.leaseOne().token
    }

    expect(delays).toEqual([100, 200, 400, 800, 1_000, 1_000])
  })

  it('ends the task as dead with its last attempt', () => {
    const { rig, id, held } = holding({ maxAttempts: 2, retry: NO_JITTER })
    rig.fail([held])
    rig.pass(100).expire()

    expect(rig.fail([{ id, token: rig.leaseOne().token }])).toEqual({
      ok: 1,
      outcomes: [['dead', 0]],
    })

    expect(rig.task(id)).toMatchObject({
      state: 'dead',
      failures: 2,
      attempt: 2,
      end: { reason: 'attempts_exhausted', error: { message: 'it broke', type: 'Broken' } },
    })
  })

  it.each([
    ['the worker says that no retry can mend it', {}, { retryable: false }],
    ['its policy names the type of the error', { retry: { notRetryable: ['Broken'] } }, {}],
  ])('ends the task as dead at once if %s', (_, task: TaskWish, failure) => {
    const { rig, id, held } = holding(task)

    expect(rig.fail([{ ...held, ...failure }])).toEqual({ ok: 1, outcomes: [['dead', 0]] })
    expect(rig.task(id)).toMatchObject({ failures: 1, end: { reason: 'not_retryable' } })
  })

  it('says not retryable rather than exhausted if it is both', () => {
    const { rig, id, held } = holding({ maxAttempts: 1 })
    rig.fail([{ ...held, retryable: false }])

    expect(rig.task(id).end?.reason).toBe('not_retryable')
  })

  it('waits as long as the worker says, whatever the policy', () => {
    const { rig, held } = holding()

    expect(rig.fail([{ ...held, retryAfterMs: 42 }]).outcomes).toEqual([['retrying', 42]])
  })

  it('is ready at the next step of time if the worker asks for no delay at all', () => {
    const { rig, id, held } = holding()
    rig.fail([{ ...held, retryAfterMs: 0 }])
    rig.expire()

    expect(rig.stateOf(id)).toBe('queued')
  })

  it('takes its jitter from the chance that it was given, one number for each task', () => {
    const rig = anEngine({
      queueDefaults: { retry: { ...NO_JITTER, jitter: 0.5, notRetryable: [] } },
    })
    for (let count = 0; count < 3; count += 1) rig.add('mail')
    const held = rig.lease({ max: 3 })
    rig.chance = 0.125
    const chances = chancesFrom(0.125)
    const expected = held.map(() => Math.round(100 * (1 + 0.5 * (2 * chances() - 1))))

    const unknown = { id: aTaskId('mail', 99), token: 1 }
    const { outcomes } = rig.fail([...held.slice(0, 1), unknown, ...held.slice(1)])

    expect(outcomes).toEqual([
      ['retrying', expected[0]],
      null,
      ['retrying', expected[1]],
      ['retrying', expected[2]],
    ])
    expect(new Set(expected).size).toBe(3)
  })

  it('that is sent again after it ended the task has happened already', () => {
    const { rig, held } = holding({ maxAttempts: 1 })
    rig.fail([held])
    const again = { ok: 0, already: [0], outcomes: [['dead', 0]] }

    expect(rig.fail([held])).toEqual(again)
    rig.commit()
    expect(rig.fail([held])).toEqual(again)
  })

  it('that is sent again after a retry was ordered is stale, and counts once', () => {
    const { rig, id, held } = holding()
    rig.fail([held])

    expect(rig.fail([held])).toMatchObject({ ...refused('STALE_LEASE'), outcomes: [null] })
    expect(rig.task(id).failures).toBe(1)
  })

  it('is refused for a task that this attempt has completed', () => {
    const { rig, held } = holding()
    rig.complete([held])

    expect(rig.fail([held])).toEqual({ ...refused('INVALID_STATE'), outcomes: [null] })
  })

  it('of a task that was never started lets it expire while it waits for its retry', () => {
    const { rig, id, held } = holding({ ttlMs: 1_000, retry: NO_JITTER }, { start: false })
    rig.fail([{ ...held, retryAfterMs: 5_000 }])
    expect(rig.stateOf(id)).toBe('retrying')

    rig.pass(1_000).expire()

    expect(rig.stateOf(id)).toBe('expired')
  })

  it('of a task that was started no longer lets it expire', () => {
    const { rig, id, held } = holding({ ttlMs: 1_000 })
    rig.fail([{ ...held, retryAfterMs: 5_000 }])

    rig.pass(1_000).expire()

    expect(rig.stateOf(id)).toBe('retrying')
  })

  it('is confirmed as cancelled if somebody has asked for that, and counts as a failure', () => {
    const { rig, id, held } = holding({ maxAttempts: 1 })
    rig.cancel([id], 'no longer wanted')

    expect(rig.fail([held])).toEqual({ ok: 1, outcomes: [['cancelled', 0]] })

    expect(rig.task(id)).toMatchObject({
      state: 'cancelled',
      failures: 1,
      end: { reason: 'cancelled', note: 'no longer wanted' },
    })
    expect(rig.fail([held])).toMatchObject({ already: [0], outcomes: [['cancelled', 0]] })
  })
})

describe('release', () => {
  it('gives the task back unharmed, at its old place', () => {
    const { rig, id, held } = holding()
    rig.pass(5_000)
    const younger = rig.add('mail')

    expect(rig.release([held])).toEqual({ ok: 1 })

    expect(rig.task(id)).toMatchObject({ state: 'queued', attempt: 1, failures: 0, losses: 0 })
    expect(rig.lease({ max: 2 }).map((claimed) => claimed.id)).toEqual([id, younger])
  })

  it('costs nothing, however often', () => {
    const { rig, id, held } = holding({ maxAttempts: 1, maxLost: 1 })
    let { token } = held
    for (let count = 0; count < 20; count += 1) {
      rig.release([{ id, token }])
      token = rig.leaseOne().token
    }

    expect(rig.task(id)).toMatchObject({ state: 'running', attempt: 1 })
    expect(token).toBe(21)
  })

  it('confirms a cancel, and has then happened already', () => {
    const { rig, id, held } = holding()
    rig.cancel([id], 'no longer wanted')

    expect(rig.release([held])).toEqual({ ok: 1 })

    expect(rig.task(id)).toMatchObject({ state: 'cancelled', end: { note: 'no longer wanted' } })
    expect(rig.task(id).failures).toBe(0)
    expect(rig.release([held])).toEqual({ ok: 0, already: [0] })
    rig.commit()
    expect(rig.release([held])).toEqual({ ok: 0, already: [0] })
  })

  it('is refused for a task that this attempt has ended otherwise', () => {
    const { rig, held } = holding()
    rig.complete([held])

    expect(rig.release([held])).toEqual(refused('INVALID_STATE'))
  })

  it('wakes the queue', () => {
    const { rig, held } = holding()
    rig.state.woken.clear()

    rig.release([held])

    expect([...rig.state.woken].map(({ name }) => name)).toEqual(['mail'])
  })
})
