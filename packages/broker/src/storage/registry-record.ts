// Records of what is few: queues, sessions, dedupe keys, and the engine's own counters.

import type { QueueSettings } from '@tq/core'
import type { Queue } from '../engine/queue.ts'
import type { Session, WorkerInfo } from '../engine/session.ts'
import { ByteReader } from './byte-reader.ts'
import { seal, SEAL_BYTES, sealJson, unseal, unsealJson } from './sealed.ts'

export const REGISTRY_RECORD_VERSION = 1

export interface QueueRecord {
  readonly number: number
  readonly name: string
  readonly settings: QueueSettings
  readonly paused: boolean
  readonly pauseReason?: string
}

export function encodeQueue(key: Uint8Array, queue: Queue): Uint8Array {
  const { number, name, settings, paused, pauseReason } = queue
  const record: QueueRecord = {
    number,
    name,
    settings,
    paused,
    ...(pauseReason === undefined ? {} : { pauseReason }),
  }
  return sealJson(key, record, REGISTRY_RECORD_VERSION)
}

/** @throws {CorruptRecordError} */
export function decodeQueue(key: Uint8Array, value: Uint8Array): QueueRecord {
  return unsealJson(key, value, REGISTRY_RECORD_VERSION) as QueueRecord
}

export interface SessionRecord {
  readonly id: string
  readonly principal: string
  readonly worker?: WorkerInfo
}

export function encodeSession(key: Uint8Array, session: Session): Uint8Array {
  const record: SessionRecord = {
    id: session.key,
    principal: session.principal,
    ...(session.worker === undefined ? {} : { worker: session.worker }),
  }
  return sealJson(key, record, REGISTRY_RECORD_VERSION)
}

/** @throws {CorruptRecordError} */
export function decodeSession(key: Uint8Array, value: Uint8Array): SessionRecord {
  return unsealJson(key, value, REGISTRY_RECORD_VERSION) as SessionRecord
}

export interface DedupeRecord {
  readonly id: Uint8Array
  /** SHA-256 of the request. */
  readonly hash: Uint8Array
}

const ID_BYTES = 16
const HASH_BYTES = 32

export function encodeDedupe(key: Uint8Array, record: DedupeRecord): Uint8Array {
  const value = new Uint8Array(SEAL_BYTES + ID_BYTES + HASH_BYTES)
  value.set(record.id, SEAL_BYTES)
  value.set(record.hash, SEAL_BYTES + ID_BYTES)
  seal(key, value, REGISTRY_RECORD_VERSION)
  return value
}

/** @throws {CorruptRecordError} */
export function decodeDedupe(key: Uint8Array, value: Uint8Array): DedupeRecord {
  unseal(key, value, REGISTRY_RECORD_VERSION)
  const reader = new ByteReader(value, SEAL_BYTES)
  return { id: reader.bytes(ID_BYTES), hash: reader.bytes(HASH_BYTES) }
}

/** Counters that must survive the last task that showed them. Written with every commit. */
export interface EngineRecord {
  readonly tickMs: number
  readonly wallMs: number
  readonly lastToken: number
  readonly nextSequence: number
  readonly nextQueueNumber: number
  /** Commits from here on are checked before the broker listens: they may stand in the WAL. */
  readonly verifyFromLsn: number
  /** The oldest journal record that is kept. */
  readonly journalFromLsn: number
}

export function encodeEngine(key: Uint8Array, record: EngineRecord): Uint8Array {
  const value = new Uint8Array(SEAL_BYTES + 7 * 8)
  const view = new DataView(value.buffer)
  const fields = [
    record.tickMs,
    record.wallMs,
    record.lastToken,
    record.nextSequence,
    record.nextQueueNumber,
    record.verifyFromLsn,
    record.journalFromLsn,
  ]
  fields.forEach((field, index) => view.setFloat64(SEAL_BYTES + index * 8, field))
  seal(key, value, REGISTRY_RECORD_VERSION)
  return value
}

/** @throws {CorruptRecordError} */
export function decodeEngine(key: Uint8Array, value: Uint8Array): EngineRecord {
  unseal(key, value, REGISTRY_RECORD_VERSION)
  const reader = new ByteReader(value, SEAL_BYTES)
  return {
    tickMs: reader.f64(),
    wallMs: reader.f64(),
    lastToken: reader.f64(),
    nextSequence: reader.f64(),
    nextQueueNumber: reader.f64(),
    verifyFromLsn: reader.f64(),
    journalFromLsn: reader.f64(),
  }
}
