// The bytes of every record of version 1, as they were released: they are read for ever.
import { DEFAULT_RETRY, type HistoryChapter, type TaskOptions } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { GOLDEN_RECORDS, PROFILE } from '../../test/golden-record.ts'
import { aState, QUEUE_NUMBER, queueOf, SESSION, SLOT } from '../../test/record-builder.ts'
import type { EndRecord, Fact } from '../engine/fact.ts'
import { parseProfile, type Profile, profileOf } from '../engine/profile.ts'
import { restoreTask, type RestoredTask } from '../engine/restore.ts'
import { NO_ROW, type Row } from '../engine/rows.ts'
import type { EngineState } from '../engine/state.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { decodeDone, DONE_RECORD_VERSION, encodeDone } from './done-record.ts'
import { decodeChapter, encodeChapter, HISTORY_RECORD_VERSION } from './history-record.ts'
import { decodeJournal, JOURNAL_RECORD_VERSION, JournalWriter } from './journal-record.ts'
import {
  dedupeKey,
  ENGINE_KEY,
  historyKey,
  journalKey,
  queueKey,
  sessionRecordKey,
  taskKey,
} from './key.ts'
import {
  decodePayloadRecord,
  encodeMeta,
  PAYLOAD_RECORD_VERSION,
  payloadRecordBytes,
  writePayloadRecord,
} from './payload-record.ts'
import {
  decodeDedupe,
  decodeEngine,
  decodeQueue,
  decodeSession,
  encodeDedupe,
  encodeEngine,
  encodeQueue,
  encodeSession,
  REGISTRY_RECORD_VERSION,
} from './registry-record.ts'
import { SEAL_BYTES, unseal } from './sealed.ts'
import { decodeTask, encodeTask, TASK_RECORD_VERSION } from './task-record.ts'

const WALL_MS = 1_800_000_000_000
const ID = bytes('01a3185c5000 7000 b9b0 000000000001')
type Golden = keyof typeof GOLDEN_RECORDS

describe('records of version 1', () => {
  it('are what is written', () => {
    const versions = [
      TASK_RECORD_VERSION,
      DONE_RECORD_VERSION,
      PAYLOAD_RECORD_VERSION,
      HISTORY_RECORD_VERSION,
      REGISTRY_RECORD_VERSION,
      JOURNAL_RECORD_VERSION,
    ]
    expect(versions).toEqual([1, 1, 1, 1, 1, 1])
  })
})

describe('task record of version 1', () => {
  const key = taskKey('task', ID)

  it('of a waiting task', () => {
    const state = aState()
    const task = waiting(state)

    expect(hex(encodeTask(new ByteWriter(), key, { state, task }))).toBe(
      goldenOf('task, waiting', key),
    )
    expect(decoded('task, waiting')).toEqual({
      core: {
        ...CORE,
        state: 'scheduled',
        profileText: '{"q":7,"t":"résize"}',
        cancelRequested: false,
        keyed: true,
      },
      lease: undefined,
      cancelNote: undefined,
    })
  })

  it('of a held task that somebody asked to cancel', () => {
    const state = aState()
    const task = held(state)

    expect(hex(encodeTask(new ByteWriter(), key, { state, task }))).toBe(
      goldenOf('task, held', key),
    )
    expect(decoded('task, held')).toEqual({
      core: {
        ...CORE,
        state: 'running',
        profileText: PROFILE,
        cancelRequested: true,
        keyed: false,
      },
      lease: {
        session: SESSION,
        token: 2 ** 32 + 5,
        claim: 2 ** 33,
        leaseMs: 15_000,
        assignedAtMs: WALL_MS + 1,
        startedAtMs: WALL_MS + 2,
        deadlineTickMs: 3_600_010,
      },
      cancelNote: 'nö',
    })
  })

  function decoded(golden: Golden): unknown {
    const value = valueOf(golden)
    unseal(key, value, 1)
    return decodeTask(new ByteReader(value, SEAL_BYTES))
  }
})

describe('done record of version 1', () => {
  const key = taskKey('done', ID)

  it('of a dead task with all that there may be', () => {
    expect(hex(encoded(DEAD))).toBe(goldenOf('done, dead', key))
    expect(decoded('done, dead').end).toEqual(DEAD)
  })

  it('of an expired task of which nothing is to tell', () => {
    expect(hex(encoded(EXPIRED))).toBe(goldenOf('done, expired', key))
    expect(decoded('done, expired')).toMatchObject({
      id: ID,
      priority: 200,
      failures: 1,
      losses: 2,
      generation: 3,
      chapters: 4,
      sequence: 2 ** 32 + 9,
      createdAtMs: WALL_MS,
      payloadBytes: 1_048_576,
      timeoutMs: 3_600_000,
      keyed: true,
      end: EXPIRED,
    })
  })

  function encoded(end: EndRecord): Uint8Array {
    const state = aState()
    const task = waiting(state)
    state.tasks.setState(task, end.state)
    return encodeDone(new ByteWriter(), key, { state, task, end })
  }

  function decoded(golden: Golden): ReturnType<typeof decodeDone> {
    const state = aState()
    const profileOfText = (text: string): Profile | undefined =>
      parseProfile(text, (number) => state.queuesByNumber.get(number))
    return decodeDone(key, valueOf(golden), { id: ID, profileOf: profileOfText })
  }
})

describe('payload record of version 1', () => {
  const key = taskKey('payload', ID)

  it('of a task without headers', () => {
    expect(hex(encoded(undefined))).toBe(goldenOf('payload, plain', key))
    const found = decodePayloadRecord(key, valueOf('payload, plain'))
    expect([found.meta, [...found.payload]]).toEqual([{}, [0x92, 0x01, 0x02]])
  })

  it('of a task with all that goes with it', () => {
    const options = {
      headers: { 'x-ü': '☃' },
      trace: { traceparent: '00-0af7-b7ad-01', tracestate: 'a=b' },
      idempotencyKey: 'kéy',
      durationHintMs: 1_500,
      sizeHintBytes: 2 ** 53 - 1,
    }
    expect(hex(encoded({ ...options, priority: 3 }))).toBe(goldenOf('payload, with meta', key))
    expect(decodePayloadRecord(key, valueOf('payload, with meta')).meta).toEqual(options)
  })

  function encoded(options: TaskOptions | undefined): Uint8Array {
    const meta = encodeMeta(options)
    const payload = Uint8Array.of(0x92, 0x01, 0x02)
    const target = new Uint8Array(payloadRecordBytes(meta, payload))
    writePayloadRecord(target, key, { meta, payload })
    return target
  }
})

describe('history record of version 1', () => {
  const key = historyKey(ID, 2)

  it('of an attempt that failed', () => {
    const chapter: HistoryChapter = {
      attempt: 2,
      generation: 1,
      transitions: [
        { state: 'assigned', reason: 'claimed', atMs: WALL_MS },
        { state: 'running', reason: 'started', atMs: WALL_MS },
        { state: 'retrying', reason: 'failed', atMs: WALL_MS + 5 },
      ],
      worker: 'wörker',
      token: 2 ** 32 + 5,
      error: { message: 'it broke', type: 'Broken', stack: 'at x' },
    }
    expect(hex(encodeChapter(key, chapter))).toBe(goldenOf('history', key))
    expect(decodeChapter(key, valueOf('history'))).toEqual(chapter)
  })
})

describe('registry records of version 1', () => {
  it('of a queue', () => {
    const queue = queueOf(aState())
    queue.settings = { ...queue.settings, timeouts: { 'résize*': { kind: 'fixed', ms: 5 } } }
    queue.paused = true
    queue.pauseReason = 'päuse'
    const key = queueKey(queue.slot, queue.number)
    const { number, name, settings, paused, pauseReason } = queue

    expect(hex(encodeQueue(key, queue))).toBe(goldenOf('queue', key))
    expect(decodeQueue(key, valueOf('queue'))).toEqual({
      number,
      name,
      settings,
      paused,
      pauseReason,
    })
  })

  it('of a session, and of one that is a worker', () => {
    const session = aState().sessionAt(0)
    const key = sessionRecordKey(SESSION)
    const plain = { id: hex(SESSION), principal: 'alice' }
    const worker = { name: 'wörker', version: '1.2.3', labels: { gpu: true, n: 4 }, slots: 8 }

    expect(hex(encodeSession(key, session))).toBe(goldenOf('session', key))
    expect(decodeSession(key, valueOf('session'))).toEqual(plain)
    session.worker = worker
    expect(hex(encodeSession(key, session))).toBe(goldenOf('session, worker', key))
    expect(decodeSession(key, valueOf('session, worker'))).toEqual({ ...plain, worker })
  })

  it('of an idempotency key', () => {
    const key = dedupeKey(SLOT, QUEUE_NUMBER, 'kéy')
    const record = { id: ID, hash: Uint8Array.from({ length: 32 }, (_, index) => index) }

    expect(hex(encodeDedupe(key, record))).toBe(goldenOf('dedupe', key))
    expect(decodeDedupe(key, valueOf('dedupe'))).toEqual(record)
  })

  it('of the counters', () => {
    const record = {
      tickMs: 123_456,
      wallMs: WALL_MS,
      lastToken: 2 ** 32 + 5,
      nextSequence: 2 ** 32 + 10,
      nextQueueNumber: 8,
      verifyFromLsn: 900,
      journalFromLsn: 800,
    }
    expect(hex(encodeEngine(ENGINE_KEY, record))).toBe(goldenOf('engine', ENGINE_KEY))
    expect(decodeEngine(ENGINE_KEY, valueOf('engine'))).toEqual(record)
  })
})

describe('journal record of version 1', () => {
  const key = journalKey(901)

  it('of a commit with packed facts and with words', () => {
    const state = aState()
    const task = held(state)
    const writer = new JournalWriter(state)
    for (const [fact, row] of factsOf(state, task)) {
      writer.add(fact, row, { wallMs: WALL_MS, tickMs: 123_456 })
    }

    expect(hex(writer.take(key))).toBe(goldenOf('journal', key))
    const { wallMs, tickMs, entries } = decodeJournal(key, valueOf('journal'))
    expect([wallMs, tickMs]).toEqual([WALL_MS, 123_456])
    expect(entries.map(({ code }) => code)).toEqual([1, 3, 7, 7, 21])
    const words = entries.slice(3).map(({ rest }) => JSON.parse(Buffer.from(rest).toString()))
    expect(words).toEqual([
      { state: 'cancelled', reason: 'cancelled', note: 'nö', counts: 'nothing', ...BY },
      { tickMs: 123_456 },
    ])
  })

  it('of a commit without facts', () => {
    const state = aState()
    state.tickMs = 77

    expect(hex(new JournalWriter(state).take(key))).toBe(goldenOf('journal, empty', key))
    expect(decodeJournal(key, valueOf('journal, empty'))).toEqual({
      wallMs: 0,
      tickMs: 77,
      entries: [],
    })
  })
})

const CORE = {
  priority: 200,
  failures: 1,
  losses: 2,
  chapters: 4,
  generation: 3,
  payloadBytes: 1_048_576,
  timeoutMs: 3_600_000,
  sequence: 2 ** 32 + 9,
  rankBaseMs: WALL_MS + 60_000,
  dueAt: WALL_MS + 60_000,
  expiresAtMs: WALL_MS + 90_000,
  createdAtMs: WALL_MS,
}

const BY = { atMs: WALL_MS + 9, actor: 'alice' }

const EXPIRED: EndRecord = {
  state: 'expired',
  reason: 'expired',
  result: undefined,
  error: undefined,
  note: undefined,
  attempt: undefined,
  ...BY,
}

const DEAD: EndRecord = {
  state: 'dead',
  reason: 'attempts_exhausted',
  result: Uint8Array.of(0xc0),
  error: { message: 'it broke', type: 'Broken' },
  note: 'nö',
  attempt: {
    attempt: 4,
    token: 2 ** 32 + 5,
    worker: 'wörker',
    session: -1,
    assignedAtMs: WALL_MS + 1,
    startedAtMs: WALL_MS + 2,
  },
  ...BY,
}

function waiting(state: EngineState): Row {
  const profile = profileOf(queueOf(state), 'résize', undefined)
  const flags = { cancelRequested: false, cancelNote: undefined, keyed: true }
  return restoreTask(state, { id: ID, ...CORE, state: 'scheduled', profile, ...flags }, undefined)
}

function held(state: EngineState): Row {
  const profile = profileOf(queueOf(state), 'résize', {
    requires: { zone: 'eu', gpu: true },
    retry: { ...DEFAULT_RETRY, kind: 'fixed', baseMs: 1_000 },
    maxAttempts: 9,
    maxLost: 8,
  })
  const flags = { cancelRequested: true, cancelNote: 'nö', keyed: false }
  const restored: RestoredTask = { id: ID, ...CORE, state: 'running', profile, ...flags }
  return restoreTask(state, restored, {
    session: 0,
    token: 2 ** 32 + 5,
    claim: 2 ** 33,
    leaseMs: 15_000,
    assignedAtMs: WALL_MS + 1,
    startedAtMs: WALL_MS + 2,
    deadlineTickMs: 3_600_010,
  })
}

function factsOf(state: EngineState, task: Row): readonly (readonly [Fact, Row])[] {
  const profile = state.profileOf(task)
  const nothing = { result: undefined, error: undefined, note: undefined, attempt: undefined }
  const end = { kind: 'task-ended', task, counts: 'nothing', ...nothing, ...BY } as const
  const { attempt } = DEAD
  return [
    [
      {
        kind: 'task-enqueued',
        id: ID,
        profile,
        payload: new Uint8Array(9),
        options: undefined,
        priority: 200,
        sequence: 1,
        dueAtMs: WALL_MS + 60_000,
        expiresAtMs: 0,
        timeoutMs: 5,
        requestHash: undefined,
        ...BY,
      },
      task,
    ],
    [
      {
        kind: 'task-leased',
        task,
        session: 0,
        token: 2 ** 32 + 5,
        claim: 1,
        leaseMs: 15_000,
        endTickMs: 99,
        deadlineTickMs: 3_600_010,
        atMs: WALL_MS,
      },
      task,
    ],
    [{ ...end, state: 'completed', reason: 'completed', attempt, result: Uint8Array.of(1) }, task],
    [{ ...end, state: 'cancelled', reason: 'cancelled', note: 'nö' }, task],
    [{ kind: 'clock-ticked', tickMs: 123_456 }, NO_ROW],
  ]
}

/** The digits of a golden value, whose key must be the golden one. */
function goldenOf(name: Golden, key: Uint8Array): string {
  expect(hex(key)).toBe(packed(GOLDEN_RECORDS[name].key))
  return packed(GOLDEN_RECORDS[name].value)
}

function valueOf(name: Golden): Uint8Array {
  return bytes(GOLDEN_RECORDS[name].value)
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(packed(text), 'hex'))
}

function packed(text: string): string {
  return text.replaceAll(/\s/g, '')
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}
