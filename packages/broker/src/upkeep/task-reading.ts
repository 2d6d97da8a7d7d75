// Records of tasks as a check and a salvage read them: with all that must hold of one by itself.

import { formatTaskId, isTaskIdBytes, isTerminal, slotOfTaskId, TASK_ID_BYTES } from '@tq/core'
import type { EndedTask } from '../engine/fact.ts'
import type { Profile } from '../engine/profile.ts'
import { ByteReader } from '../storage/byte-reader.ts'
import { decodeDone } from '../storage/done-record.ts'
import { taskIdOfKey } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import { CorruptRecordError, SEAL_BYTES, unseal } from '../storage/sealed.ts'
import {
  decodeTask,
  readCore,
  TASK_RECORD_VERSION,
  type TaskCore,
  type TaskRecord,
} from '../storage/task-record.ts'

export type ProfileOf = (text: string) => Profile | undefined

export interface LiveTask extends TaskRecord {
  readonly id: Uint8Array
  readonly profile: Profile
}

const TASK_KEY_BYTES = 3 + TASK_ID_BYTES

/** @throws what a damaged record throws. */
export function readLive([key, value]: Entry, profileOf: ProfileOf): LiveTask {
  unseal(key, value, TASK_RECORD_VERSION)
  const id = idOf(key)
  const record = decodeTask(new ByteReader(value, SEAL_BYTES))
  const { state } = record.core
  if (isTerminal(state)) throw new CorruptRecordError(`a live task is ${state}`)
  return { ...record, id, profile: soundProfile(id, profileOf(record.core.profileText)) }
}

/** @throws what a damaged record throws. */
export function readEnded([key, value]: Entry, profileOf: ProfileOf): EndedTask {
  const id = idOf(key)
  const ended = decodeDone(key, value, { id, profileOf })
  soundProfile(id, ended.profile)
  return ended
}

/** What a live and an ended task's record both begin with. @throws what a damaged record throws. */
export function readAnyCore(key: Uint8Array, value: Uint8Array): TaskCore {
  unseal(key, value, TASK_RECORD_VERSION)
  return readCore(new ByteReader(value, SEAL_BYTES))
}

/** `task 01a1…` */
export function nameOfTask(key: Uint8Array): string {
  const id = taskIdOfKey(key)
  return `task ${isTaskIdBytes(id) ? formatTaskId(id) : Buffer.from(id).toString('hex')}`
}

function idOf(key: Uint8Array): Uint8Array {
  const id = taskIdOfKey(key)
  if (key.length === TASK_KEY_BYTES && isTaskIdBytes(id)) return id
  throw new CorruptRecordError('its key holds no task id')
}

function soundProfile(id: Uint8Array, profile: Profile | undefined): Profile {
  if (profile === undefined) throw new CorruptRecordError('it names a queue that does not exist')
  if (slotOfTaskId(id) === profile.queue.slot) return profile
  throw new CorruptRecordError(`its id is not one of queue "${profile.queue.name}"`)
}
