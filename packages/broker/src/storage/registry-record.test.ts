// Records of queues, sessions, dedupe keys and the engine's counters: they come back as they were.
import { DEFAULT_RETRY } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { expectDetected } from '../../test/record-builder.ts'
import { DEFAULT_QUEUE_SETTINGS, Queue } from '../engine/queue.ts'
import { Session } from '../engine/session.ts'
import { dedupeKey, ENGINE_KEY, queueKey, sessionRecordKey } from './key.ts'
import {
  decodeDedupe,
  decodeEngine,
  decodeQueue,
  decodeSession,
  encodeDedupe,
  encodeEngine,
  encodeQueue,
  encodeSession,
} from './registry-record.ts'

const aLine = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const aCounter = fc.oneof(fc.constantFrom(0, Number.MAX_SAFE_INTEGER), fc.maxSafeNat())

describe('queue record', () => {
  const aQueue = fc.record({
    name: aLine,
    number: fc.nat({ max: 2 ** 31 - 1 }),
    paused: fc.boolean(),
    pauseReason: fc.option(aLine, { nil: undefined }),
    timeout: fc.option(fc.nat(), { nil: undefined }),
  })

  it('gives back name, settings and pause', () => {
    const property = fc.property(aQueue, ({ name, number, paused, pauseReason, timeout }) => {
      const queue = new Queue(number, name, {
        ...DEFAULT_QUEUE_SETTINGS,
        retry: { ...DEFAULT_RETRY, notRetryable: [name] },
        timeouts: timeout === undefined ? {} : { [`${name}*`]: { kind: 'fixed', ms: timeout } },
      })
      queue.paused = paused
      queue.pauseReason = pauseReason
      const key = queueKey(queue.slot, number)

      const found = decodeQueue(key, encodeQueue(key, queue))

      const { settings } = queue
      const reason = pauseReason === undefined ? {} : { pauseReason }
      expect(found).toEqual({ number, name, settings, paused, ...reason })
    })
    assertProperty(property, 200)
  })

  it('is told from every damage, and from another queue', () => {
    const queue = new Queue(3, 'mail', DEFAULT_QUEUE_SETTINGS)
    const key = queueKey(queue.slot, queue.number)

    expectDetected(key, encodeQueue(key, queue), decodeQueue)
  })
})

describe('session record', () => {
  const identity = { index: 4, principal: 'alice', lastSeenTickMs: 5 }

  it('gives back who it is, and which worker', () => {
    const aWorker = fc.record({
      name: aLine,
      version: aLine,
      labels: fc.dictionary(aLine, fc.oneof(aLine, fc.boolean(), fc.integer()), { maxKeys: 3 }),
      slots: fc.integer({ min: 1, max: 10_000 }),
    })
    const anId = fc.uint8Array({ minLength: 16, maxLength: 16 })
    const property = fc.property(
      anId,
      aLine,
      fc.option(aWorker, { nil: undefined }),
      (id, principal, worker) => {
        const session = new Session({ ...identity, id, principal })
        session.worker = worker
        const key = sessionRecordKey(id)

        const found = decodeSession(key, encodeSession(key, session))

        const named = worker === undefined ? {} : { worker: JSON.parse(JSON.stringify(worker)) }
        expect(found).toEqual({ id: Buffer.from(id).toString('hex'), principal, ...named })
      },
    )
    assertProperty(property, 200)
  })

  it('is told from every damage, and from another session', () => {
    const session = new Session({ ...identity, id: new Uint8Array(16).fill(3) })
    const key = sessionRecordKey(session.id)

    expectDetected(key, encodeSession(key, session), decodeSession)
  })
})

describe('dedupe record', () => {
  const record = {
    id: Uint8Array.from({ length: 16 }, (_, index) => index),
    hash: Uint8Array.from({ length: 32 }, (_, index) => 255 - index),
  }

  it('gives back the task and the hash of its request, for keys of any length', () => {
    for (const name of ['k', 'ü'.repeat(128), 'x'.repeat(256)]) {
      const key = dedupeKey(3, 1, name)
      expect(decodeDedupe(key, encodeDedupe(key, record))).toEqual(record)
    }
  })

  it('is told from every damage, and from another key', () => {
    const key = dedupeKey(3, 1, 'k')

    expectDetected(key, encodeDedupe(key, record), decodeDedupe)
  })
})

describe('engine record', () => {
  const counters = fc.record({
    tickMs: aCounter,
    wallMs: aCounter,
    lastToken: aCounter,
    nextSequence: aCounter,
    nextQueueNumber: aCounter,
    verifyFromLsn: aCounter,
    journalFromLsn: aCounter,
  })

  it('gives back every counter', () => {
    const property = fc.property(counters, (record) => {
      expect(decodeEngine(ENGINE_KEY, encodeEngine(ENGINE_KEY, record))).toEqual(record)
    })
    assertProperty(property, 200)
  })

  it('is told from every damage, and under another key', () => {
    const [record] = fc.sample(counters, { numRuns: 1, seed: 1 })
    if (record === undefined) throw new Error('there is a sample')

    expectDetected(ENGINE_KEY, encodeEngine(ENGINE_KEY, record), decodeEngine)
  })
})
