// Sessions and workers: registering, leaving, heartbeats.

import type { HeldTask } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { accepted, aSession, aTaskId } from '../../test/task-builder.ts'
import type { Session } from './session.ts'
import { sessionKey } from './session.ts'

function sessionOf(rig: EngineRig, name: string): Session | undefined {
  return rig.state.sessionsByKey.get(sessionKey(aSession(name).id))
}

function remainingMs(rig: EngineRig, { id }: HeldTask): number | undefined {
  return rig.task(id).lease?.remainingMs
}

describe('the number of sessions', () => {
  it('is bounded: who has been silent longest and holds nothing goes first', () => {
    const rig = anEngine({ sessionsMax: 3 })
    rig.register('worker')
    rig.add('mail')
    rig.add('mail')
    rig.leaseOne({ session: 'holder' })
    rig.complete([rig.leaseOne({ session: 'guest' })])
    rig.pass(1)

    rig.register('another')

    expect(rig.factKinds).toEqual(['session-closed', 'session-opened'])
    expect(sessionOf(rig, 'guest')).toBeUndefined()
    expect([...rig.state.sessionsByKey.keys()]).toHaveLength(3)
  })

  it('is not kept up by guests that hold leases and are silent, however many they are', () => {
    const rig = anEngine({ sessionsMax: 20 })
    for (let holder = 1; holder < 20; holder += 1) {
      rig.add('mail')
      rig.leaseOne({ session: `holder ${holder}` })
    }
    rig.add('mail')
    rig.complete([rig.leaseOne({ session: 'idle' })])
    rig.pass(1)

    rig.register('another')

    expect(sessionOf(rig, 'idle')).toBeUndefined()
    expect(sessionOf(rig, 'holder 1')?.leaseCount).toBe(1)
    const refusal = { code: 'RESOURCE_EXHAUSTED', details: { retryAfterMs: 5_000 } }
    expect(rig.register('one more')).toMatchObject(refusal)
  })

  it('is refused beyond, with a word when to come again', () => {
    const rig = anEngine({ sessionsMax: 2 })
    rig.register('one')
    rig.register('two')

    const refusal = { code: 'RESOURCE_EXHAUSTED', details: { retryAfterMs: 5_000 } }
    expect(rig.register('three')).toMatchObject(refusal)
    rig.add('mail')
    expect(rig.leave('one')).toEqual({ released: 0 })
    expect(rig.register('three')).toMatchObject({ worker: aSession('three').id })
  })

  it('uses the index of a session that is gone again', () => {
    const rig = anEngine()
    for (const name of ['one', 'two', 'three']) rig.register(name)
    rig.leave('two')
    rig.register('four')

    expect(sessionOf(rig, 'four')?.index).toBe(1)
    expect(rig.state.sessions).toHaveLength(3)
  })
})

describe('register', () => {
  it('makes a session a worker', () => {
    const rig = anEngine()

    expect(rig.register('w1', { labels: { gpu: true }, slots: 8 })).toEqual({
      worker: aSession('w1').id,
    })

    expect(sessionOf(rig, 'w1')).toMatchObject({
      principal: 'alice',
      worker: { name: 'w1', version: '1.0.0', labels: { gpu: true }, slots: 8 },
      displayName: 'w1',
      lastSeenTickMs: rig.tickMs,
    })
    expect(rig.factKinds).toEqual(['session-opened'])
  })

  it('again with the same words only counts as a sign of life', () => {
    const rig = anEngine()
    rig.register('w1')
    rig.pass(5)

    rig.register('w1')

    expect(rig.factKinds).toEqual(['session-seen'])
    expect(sessionOf(rig, 'w1')?.lastSeenTickMs).toBe(rig.tickMs)
  })

  it('again with other words replaces them and keeps the leases', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.register('w1')
    const held = rig.leaseOne()

    rig.register('w1', { slots: 2 })

    expect(rig.factKinds).toEqual(['session-opened'])
    expect(sessionOf(rig, 'w1')).toMatchObject({ leaseCount: 1, worker: { slots: 2 } })
    expect(rig.complete([held])).toEqual({ ok: 1 })
  })

  it('names a session that held leases before it was a worker', () => {
    const rig = anEngine()
    rig.add('mail')
    const { id } = rig.leaseOne()
    expect(rig.task(id).lease?.worker).toBe(`session ${sessionKey(aSession('w1').id).slice(0, 8)}`)

    rig.register('w1')

    expect(rig.task(id).lease?.worker).toBe('w1')
  })

  it('is refused for a session of another principal', () => {
    const rig = anEngine()
    rig.register('w1')

    expect(rig.register('w1', { principal: 'mallory' })).toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('leave', () => {
  it('gives all tasks back without cost and forgets the session', () => {
    const rig = anEngine()
    const ids = [rig.add('mail'), rig.add('mail'), rig.add('mail', { maxLost: 1 })]
    rig.register('w1')
    rig.lease({ max: 3 })

    expect(rig.leave('w1')).toEqual({ released: 3 })

    for (const id of ids) expect(rig.task(id)).toMatchObject({ state: 'queued', attempt: 1 })
    expect(rig.state.sessionsByKey.size).toBe(0)
    expect(rig.lease({ session: 'w2', max: 9 }).map(({ id }) => id)).toEqual(ids)
  })

  it('ends a task that somebody has asked to cancel', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.lease()
    rig.cancel([id])

    rig.leave('w1')

    expect(rig.stateOf(id)).toBe('cancelled')
  })

  it('of a session that nobody knows is done already', () => {
    const rig = anEngine()

    expect(rig.leave('w1')).toEqual({ released: 0 })
    expect(rig.facts).toEqual([])
  })

  it('is refused for a session of another principal', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.lease()

    expect(rig.leave('w1', 'mallory')).toMatchObject({ code: 'FORBIDDEN' })
    expect(sessionOf(rig, 'w1')?.leaseCount).toBe(1)
  })

  it('leaves a number that the next session takes', () => {
    const rig = anEngine()
    rig.register('w1')
    rig.register('w2')
    rig.leave('w1')

    rig.register('w3')

    expect([sessionOf(rig, 'w2')?.index, sessionOf(rig, 'w3')?.index]).toEqual([1, 0])
  })
})

describe('heartbeat', () => {
  it('renews the leases that it names for their full time', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.add('mail')
    const short = rig.leaseOne({ leaseMs: 3_000 })
    const long = rig.leaseOne({ leaseMs: 9_000 })
    rig.pass(2_000)

    expect(rig.heartbeat([short, long])).toEqual({ stop: [], released: 0 })

    expect(remainingMs(rig, short)).toBe(3_000)
    expect(remainingMs(rig, long)).toBe(9_000)
    expect(sessionOf(rig, 'w1')?.lastSeenTickMs).toBe(rig.tickMs)
  })

  it('keeps a task for ever, as long as it comes in time', () => {
    const rig = anEngine()
    rig.add('mail')
    const held = rig.leaseOne({ leaseMs: 3_000 })
    for (let count = 0; count < 50; count += 1) {
      rig.pass(2_999).expire()
      expect(rig.heartbeat([held])).toEqual({ stop: [], released: 0 })
    }

    expect(rig.complete([held])).toEqual({ ok: 1 })
  })

  it('does not renew the execution deadline', () => {
    const rig = anEngine()
    const id = rig.add('mail', { timeoutMs: 2_000 })
    const held = rig.leaseOne()
    rig.pass(1_999)
    rig.heartbeat([held])

    rig.pass(1).expire()

    expect(rig.stateOf(id)).toBe('retrying')
  })

  it('needs no principal of the connection beyond that of the session', () => {
    const rig = anEngine()
    rig.add('mail')
    const held = rig.leaseOne({ leaseMs: 3_000 })
    rig.pass(1_000)

    rig.heartbeat([held], { session: 'another-connection', of: 'w1' })

    expect(remainingMs(rig, held)).toBe(3_000)
  })

  it('is refused to another principal', () => {
    const rig = anEngine()
    rig.add('mail')
    const held = rig.leaseOne({ leaseMs: 3_000 })
    rig.pass(1_000)

    const refusal = rig.heartbeat([held], { session: 'x', of: 'w1', principal: 'mallory' })

    expect(refusal).toMatchObject({ code: 'FORBIDDEN' })
    expect(remainingMs(rig, held)).toBe(2_000)
  })

  it('of a session that nobody knows is told that all its tasks are unknown', () => {
    const rig = anEngine()
    const held = { id: aTaskId('mail', 1), token: 5 }

    expect(rig.heartbeat([held])).toEqual({ stop: [[held.id, 5, 'unknown']], released: 0 })
    expect(rig.facts).toEqual([])
  })
})

describe('the stop list of a heartbeat', () => {
  it('names what was cancelled, lost and forgotten, and nothing else', () => {
    const rig = anEngine()
    const names = ['kept', 'cancelled', 'taken', 'ended', 'gone', 'foreign'] as const
    const ids = Object.fromEntries(names.map((name) => [name, rig.add('mail')]))
    const held = new Map(rig.lease({ max: 5 }).map((claimed) => [claimed.id, claimed]))
    const foreign = rig.leaseOne({ session: 'w2' })
    const of = (name: (typeof names)[number]): HeldTask =>
      [...held.values(), foreign].find(({ id }) => same(id, ids[name] as Uint8Array)) as HeldTask
    const all = names.map(of)
    rig.cancel([of('cancelled').id])
    rig.release([of('taken')])
    rig.leaseOne({ session: 'w3' })
    rig.complete([of('gone')])
    rig.commit()
    rig.complete([of('ended')])

    const { stop } = accepted(rig.heartbeat(all))

    expect(
      stop.map(([id, token, reason]) => [
        names.find((name) => same(id, of(name).id)),
        token,
        reason,
      ]),
    ).toEqual([
      ['cancelled', of('cancelled').token, 'cancelled'],
      ['taken', of('taken').token, 'lost'],
      ['ended', of('ended').token, 'lost'],
      ['gone', of('gone').token, 'unknown'],
      ['foreign', foreign.token, 'lost'],
    ])
  })

  it('repeats a cancel with each heartbeat until the worker has confirmed it', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    const held = rig.leaseOne()
    rig.cancel([id])
    const order = [id, held.token, 'cancelled']

    expect(rig.heartbeat([held])).toMatchObject({ stop: [order] })
    expect(rig.heartbeat([held])).toMatchObject({ stop: [order] })
    rig.release([held])
    expect(rig.heartbeat([])).toMatchObject({ stop: [] })
  })

  it('keeps a foreign lease as it is', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.add('mail')
    rig.lease()
    const foreign = rig.leaseOne({ session: 'w2', leaseMs: 3_000 })
    rig.pass(1_000)

    rig.heartbeat([foreign])

    expect(remainingMs(rig, foreign)).toBe(2_000)
  })
})

describe('leases that a heartbeat does not name', () => {
  it('are given back without cost if their claim was answered: the answer was lost on the way', () => {
    const rig = anEngine()
    const ids = [rig.add('mail'), rig.add('mail'), rig.add('mail', { maxLost: 1 })]
    const kept = rig.leaseOne({ claim: 1 })
    rig.lease({ claim: 2 })
    rig.lease({ claim: 3 })

    expect(rig.heartbeat([kept], { received: 3 })).toEqual({ stop: [], released: 2 })

    expect(ids.map((id) => rig.stateOf(id))).toEqual(['running', 'queued', 'queued'])
    expect(ids.map((id) => rig.task(id).attempt)).toEqual([1, 1, 1])
    expect(rig.facts.filter(({ kind }) => kind === 'task-released')).toMatchObject([
      { reason: 'reply_lost' },
      { reason: 'reply_lost' },
    ])
  })

  it('stay while their claim may still be on the way', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.add('mail')
    rig.lease({ claim: 1 })
    rig.lease({ claim: 2 })

    expect(rig.heartbeat([], { received: 0 })).toMatchObject({ released: 0 })
    expect(rig.heartbeat([], { received: 1 })).toMatchObject({ released: 1 })
    expect(rig.state.leases.count).toBe(1)
  })

  it('are renewed while the answer to their claim may still be on the way', () => {
    const rig = anEngine()
    rig.add('mail')
    const held = rig.leaseOne({ claim: 2, leaseMs: 3_000 })
    rig.pass(1_000)

    rig.heartbeat([], { received: 1 })

    expect(remainingMs(rig, held)).toBe(3_000)
  })

  it('are cancelled if somebody has asked for that', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.lease({ claim: 1 })
    rig.cancel([id])

    expect(rig.heartbeat([], { received: 1 })).toMatchObject({ released: 1 })
    expect(rig.stateOf(id)).toBe('cancelled')
  })

  it('are not confused by a lease that is named twice', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.add('mail')
    const first = rig.lease({ max: 2, claim: 1 }).slice(0, 1)

    const twice = [...first, ...first]

    expect(rig.heartbeat(twice, { received: 1 })).toMatchObject({ released: 1 })
  })

  it('of another session are not touched', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.add('mail')
    rig.lease({ claim: 1, session: 'w2' })
    rig.lease({ claim: 1, session: 'w1' })

    rig.heartbeat([], { received: 9, session: 'w1' })

    expect(rig.stateOf(id)).toBe('running')
  })
})

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
