// The invariants themselves: each way to break the state is seen, under the name of the law.

import { readFileSync } from 'node:fs'
import type { TaskIdBytes } from '@tq/core'
import { describe, expect, it, vi } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { aSession } from '../../test/task-builder.ts'
import { checkCounts, checkInvariants } from './invariants.ts'
import type { Queue } from './queue.ts'
import type { Row } from './rows.ts'
import { type Session, sessionKey } from './session.ts'
import type { EngineState } from './state.ts'

/** A sound state with something of everything, and the rows to break it by. */
class Sound {
  readonly rig: EngineRig = anEngine()
  readonly queued: Row
  readonly younger: Row
  readonly mortal: Row
  readonly scheduled: Row
  readonly retrying: Row
  readonly assigned: Row
  readonly running: Row
  readonly otherRunning: Row
  readonly ended: Row

  constructor() {
    const { rig } = this
    const row = (id: TaskIdBytes): Row => rig.row(id)
    rig.register('w1')
    const retrying = rig.add('mail')
    rig.fail([{ ...rig.leaseOne(), retryAfterMs: 5_000 }])
    const ended = rig.add('mail')
    rig.complete([rig.leaseOne()])
    const running = rig.add('mail')
    rig.leaseOne()
    const otherRunning = rig.add('mail')
    rig.leaseOne()
    const assigned = rig.add('bills')
    rig.leaseOne({ queues: ['bills'], start: false, session: 'w2' })
    this.queued = row(rig.add('mail'))
    this.younger = row(rig.add('mail'))
    this.mortal = row(rig.add('bills', { ttlMs: 9_000, requires: { b: 1, a: 2 } }))
    this.scheduled = row(rig.add('mail', { delayMs: 7_000 }))
    this.retrying = row(retrying)
    this.ended = row(ended)
    this.running = row(running)
    this.otherRunning = row(otherRunning)
    this.assigned = row(assigned)
  }

  get state(): EngineState {
    return this.rig.state
  }

  lease(task: Row): Row {
    return this.state.tasks.lease(task)
  }

  queue(name: string): Queue {
    return this.state.queuesByName.get(name) as Queue
  }

  session(name: string): Session {
    return this.state.sessionsByKey.get(sessionKey(aSession(name).id)) as Session
  }

  /** Lets the queue think that a task of one state has another. */
  recount(from: Parameters<Queue['addToCount']>[0], to: Parameters<Queue['addToCount']>[0]): void {
    this.queue('mail').addToCount(from, -1)
    this.queue('mail').addToCount(to, 1)
  }
}

/** For each law a way to break it and no law that is looked at before it. */
const BREAKS: Readonly<Record<string, (sound: Sound) => void>> = {
  'the index holds each task once': ({ state, queued }) => state.index.remove(queued),
  'every lease can end': ({ state, ...sound }) =>
    state.leaseEnds.remove(state.tasks.lease(sound.running)),
  'queues count the live tasks': (sound) => sound.queue('mail').addToCount('queued', 1),
  'each held task has one lease': (sound) => sound.recount('running', 'queued'),
  'just the running tasks have a deadline': (sound) => sound.recount('running', 'assigned'),
  'each scheduled task waits once': (sound) => sound.recount('scheduled', 'queued'),
  'each retrying task waits once': (sound) => sound.recount('retrying', 'queued'),
  'a task has a known state': ({ state, queued }) => {
    const { rows } = state.tasks
    const word = queued * rows.words + 4 // state, priority and flags
    rows.u32[word] = (rows.u32[word] as number) | 0xff
  },
  'a task is found by its id': ({ state, queued }) => {
    const { rows } = state.tasks
    const word = queued * rows.words + 1
    rows.u32[word] = (rows.u32[word] as number) ^ 0x1234
  },
  'just the terminal tasks have an end': ({ state, ended, queued }) => {
    const end = state.ends.get(ended)
    state.ends.delete(ended)
    if (end !== undefined) state.ends.set(queued, end)
  },
  'just the held tasks have a lease': ({ state, queued }) => state.tasks.setLease(queued, 0),
  'just the queued tasks stand in their lane': ({ state, queued }) =>
    state.queueOf(queued).groups.get('')?.laneOf(128).heap.remove(queued),
  'scheduled tasks wait for time': ({ state, scheduled, running }) => {
    state.scheduled.remove(scheduled)
    state.scheduled.insert(running, 1)
  },
  'retrying tasks wait for time': ({ state, retrying, running }) => {
    state.retrying.remove(retrying)
    state.retrying.insert(running, 1)
  },
  'waiting tasks may expire': ({ state, mortal }) => state.expiry.remove(mortal),
  'a task expires when it says': ({ state, mortal }) => state.tasks.setExpiresAtMs(mortal, 1),
  'a lane orders by rank base': ({ state, queued }) => state.tasks.setRankBaseMs(queued, 1),
  'a task is due when it says': ({ state, retrying }) => state.tasks.setDueAt(retrying, 1),
  'failures stay within maxAttempts': ({ state, ended }) =>
    state.tasks.setFailuresAndLosses(ended, 6, 0),
  'losses stay within maxLost': ({ state, ended }) => state.tasks.setFailuresAndLosses(ended, 0, 4),
  'a live task has an attempt left': ({ state, queued }) =>
    state.tasks.setFailuresAndLosses(queued, 5, 0),
  'a live task has a loss left': ({ state, queued }) =>
    state.tasks.setFailuresAndLosses(queued, 0, 3),
  'a lease knows its task': ({ state, running, otherRunning }) => {
    const [one, other] = [state.tasks.lease(running), state.tasks.lease(otherRunning)]
    state.tasks.setLease(running, other)
    state.tasks.setLease(otherRunning, one)
  },
  'a lease has a token': (sound) => sound.state.leases.setToken(sound.lease(sound.running), 0),
  'tokens only grow': ({ state }) => {
    state.lastToken = 1
  },
  'a lease ends when it says': (sound) =>
    sound.state.leases.setEndTickMs(sound.lease(sound.running), 1),
  'running tasks have a deadline': (sound) => {
    sound.state.deadlines.remove(sound.lease(sound.running))
    sound.state.deadlines.insert(sound.lease(sound.assigned), 1)
  },
  'a deadline is when it says': (sound) =>
    sound.state.leases.setDeadlineTickMs(sound.lease(sound.running), 1),
  'queue counts its ${name} tasks': (sound) => {
    sound.queue('mail').addToCount('queued', 1)
    sound.queue('bills').addToCount('queued', -1)
  },
  'lanes hold the queued tasks and no others': ({ state, running }) =>
    state.queueOf(running).groups.get('')?.laneOf(5).heap.insert(running, 1),
  'a profile stands at its index': ({ state, mortal, queued }) => {
    state.profileOf(mortal).index = state.profileOf(queued).index
  },
  'profiles count the tasks that use them': ({ state, queued }) => {
    state.profileOf(queued).uses += 1
  },
  'a session stands at its index': ({ state }) => void state.sessions.reverse(),
  'a lease is in its own list': (sound) => {
    const [one, other] = [sound.session('w1'), sound.session('w2')]
    const first = one.firstLease
    one.firstLease = other.firstLease
    other.firstLease = first
  },
  "a session's list has no circle": (sound) => {
    const [first, last] = [sound.lease(sound.otherRunning), sound.lease(sound.running)]
    expect(sound.session('w1').firstLease).toBe(first)
    sound.state.leases.setNext(last, first)
  },
  'a lease knows the one before it': (sound) =>
    sound.state.leases.setPrevious(sound.lease(sound.running), sound.lease(sound.running)),
  'a session counts its leases': (sound) => {
    sound.session('w1').leaseCount += 1
  },
  'each lease belongs to one session': (sound) =>
    void sound.state.sessionsByKey.delete(sound.session('w1').key),
  'an index is free or has a session': ({ state }) => void state.freeSessions.push(0),
  'each session is a worker or a guest': ({ state }) => {
    state.guestsBySilence.clear()
    state.workersBySilence.clear()
  },
  'workers and guests stand apart': (sound) => {
    const { guestsBySilence, workersBySilence } = sound.state
    for (const session of guestsBySilence) workersBySilence.add(session)
    for (const session of workersBySilence) guestsBySilence.add(session)
    workersBySilence.clear()
    for (const session of guestsBySilence) session.worker = undefined
    sound.session('w1').worker = { name: 'w1', version: '1', labels: {}, slots: 1 }
  },
  'who has been silent longest comes first': ({ state }) => {
    const { guestsBySilence, workersBySilence } = state
    for (const session of workersBySilence) guestsBySilence.add(session)
    workersBySilence.clear()
    for (const [index, session] of [...guestsBySilence].entries()) {
      session.worker = undefined
      session.lastSeenTickMs = -index
    }
  },
  'guests that hold nothing are noted, and no others': (sound) =>
    void sound.state.idleGuests.add(sound.session('w1')),
  'a member knows its place': ({ state }) => {
    const ghost = state.tasks.acquire(new Uint8Array(16))
    state.expiry.insert(ghost, 0)
    state.tasks.release(ghost)
  },
  'a parent never comes after its child': ({ state }) => {
    vi.spyOn(state.leaseEnds, 'keyAt').mockImplementation((place) => -place)
  },
  'equal keys stand first in, first out': ({ state, queued, younger }) => {
    const sequence = state.tasks.sequence(queued)
    state.tasks.setSequence(queued, state.tasks.sequence(younger))
    state.tasks.setSequence(younger, sequence)
  },
}

describe('checkInvariants', () => {
  it('has nothing to say about a sound state', () => {
    const { state } = new Sound()

    expect(() => checkInvariants(state)).not.toThrow()
  })

  it.each(Object.entries(BREAKS))('sees it broken that %s', (law, breakIt) => {
    const sound = new Sound()

    breakIt(sound)

    expect(() => checkInvariants(sound.state)).toThrow(law.replace('${name}', 'queued'))
  })

  it('is tested for every law that it knows', () => {
    const source = readFileSync(new URL('./invariants.ts', import.meta.url), 'utf8')
    const laws = [...source.matchAll(/, (?:'([^']+)'|"([^"]+)"|`([^`]+)`)\)\n/g)]

    const names = laws.map((match) => match[1] ?? match[2] ?? match[3])
    expect(new Set(names)).toEqual(new Set(Object.keys(BREAKS)))
  })
})

describe('checkCounts', () => {
  it.each(Object.entries(BREAKS).slice(0, 7))('sees it broken that %s', (law, breakIt) => {
    const sound = new Sound()
    expect(() => checkCounts(sound.state)).not.toThrow()

    breakIt(sound)

    expect(() => checkCounts(sound.state)).toThrow(law)
  })
})
