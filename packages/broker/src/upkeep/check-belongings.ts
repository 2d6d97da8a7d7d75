// Payloads, chapters of history and idempotency keys: each must belong to something.

import { slotOfTaskId } from '@tq/core'
import { hexOf } from '../engine/held.ts'
import { decodeChapter, keptHistoryKeys } from '../storage/history-record.ts'
import {
  chapterOfHistoryKey,
  dedupeKey,
  historyKey,
  parseDedupeByAgeKey,
  taskIdOfKey,
  taskKey,
} from '../storage/key.ts'
import { decodePayloadRecord, type PayloadRecord } from '../storage/payload-record.ts'
import type { Entry } from '../storage/port.ts'
import { decodeDedupe } from '../storage/registry-record.ts'
import { isDamage } from '../storage/sealed.ts'
import type { TaskCore } from '../storage/task-record.ts'
import type { Survey } from './survey.ts'
import { nameOfTask, readAnyCore } from './task-reading.ts'

export async function checkBelongings(survey: Survey): Promise<void> {
  await checkIdempotencyKeys(survey)
  for await (const page of survey.pages('payload')) await checkPayloads(survey, page)
  for await (const page of survey.pages('history')) await checkChapters(survey, page)
}

/** Both families of idempotency keys hold the same ones. Takes some 150 bytes of memory a key. */
async function checkIdempotencyKeys(survey: Survey): Promise<void> {
  const { findings } = survey
  const unaged = new Map<string, Uint8Array>()
  for await (const page of survey.pages('dedupe')) {
    for (const [key, value] of page) {
      unaged.set(hexOf(key), key)
      const record = survey.read('an idempotency key', key, () => decodeDedupe(key, value))
      if (record === undefined || slotOfTaskId(record.id) === slotOfKey(key)) continue
      findings.add('contradiction', 'an idempotency key names a task of another slot', key)
    }
  }
  const aged = new Set<string>()
  for await (const page of survey.pages('dedupeByAge')) {
    for (const [key] of page) {
      const { atMs, dedupe } = parseDedupeByAgeKey(key)
      survey.oldestKeyMs ??= atMs
      const hex = hexOf(dedupe)
      if (!unaged.has(hex)) findings.add('stray', 'an idempotency key has an age only', key)
      if (aged.has(hex)) findings.add('stray', 'an idempotency key has two ages', key)
      aged.add(hex)
    }
  }
  for (const [hex, key] of unaged) {
    if (aged.has(hex)) continue
    const text = 'an idempotency key has no age: it would be remembered for ever'
    findings.add('missing', text, key, 'nothing has to be done; salvage gives it an age')
  }
}

async function checkPayloads(survey: Survey, page: readonly Entry[]): Promise<void> {
  const owners = await ownersOf(survey, page)
  const wanted: { readonly key: Uint8Array; readonly owner: Uint8Array }[] = []
  for (const [index, [key, value]] of page.entries()) {
    const owner = owners[index]
    const name = (): string => `the payload of ${nameOfTask(key)}`
    if (owner === undefined) {
      survey.findings.add('stray', `${name()} belongs to no task`, key)
      continue
    }
    const record = survey.read(name, key, () => decodePayloadRecord(key, value))
    if (record === undefined || owner === 'damaged') continue
    if (record.payload.length !== owner.payloadBytes) {
      const text = `${name()} has ${record.payload.length} bytes, its task says ${owner.payloadBytes}`
      survey.findings.add('contradiction', text, key)
    }
    const remembered = rememberedKeyOf(survey, owner, record)
    if (remembered !== undefined) wanted.push({ key: remembered, owner: key })
  }
  const found = await survey.reader.getMany(wanted.map(({ key }) => key))
  for (const [index, { key, owner }] of wanted.entries()) {
    if (found[index] !== undefined) continue
    const text = `the idempotency key of ${nameOfTask(owner)} is forgotten: the same request would make a second task`
    const advice = 'restore a backup; or see that its producer does not send the request again'
    survey.findings.add('missing', text, key, advice)
  }
}

/** The key that a task must still be found by; undefined if it has none, or may be too old. */
function rememberedKeyOf(
  survey: Survey,
  core: TaskCore,
  { meta }: PayloadRecord,
): Uint8Array | undefined {
  const { idempotencyKey } = meta
  if (!core.keyed || idempotencyKey === undefined) return undefined
  const { oldestKeyMs, wallWentBack } = survey
  // Older ones go first, so what is younger than the oldest that is left was not forgotten by age.
  if (wallWentBack || oldestKeyMs === undefined || core.createdAtMs <= oldestKeyMs) return undefined
  const queue = survey.profileOf(core.profileText)?.queue
  return queue === undefined ? undefined : dedupeKey(queue.slot, queue.number, idempotencyKey)
}

async function checkChapters(survey: Survey, page: readonly Entry[]): Promise<void> {
  const ids = page.map(([key]) => idOfHistoryKey(key))
  const owners = await ownersOf(survey, page, ids)
  for (const [index, [key, value]] of page.entries()) {
    const id = ids[index]
    const owner = owners[index]
    if (id === undefined) continue
    const name = (): string => `a chapter of ${nameOfTask(taskKey('task', id))}`
    survey.read(name, key, () => decodeChapter(key, value))
    if (owner === 'damaged') continue
    if (owner === undefined) {
      survey.findings.add('stray', `${name()} belongs to no task`, key)
    } else if (!isKept(id, chapterOfHistoryKey(key), owner.chapters)) {
      survey.findings.add('stray', `${name()} is not among those that are kept`, key)
    }
  }
}

function isKept(id: Uint8Array, chapter: number, chapters: number): boolean {
  const key = historyKey(id, chapter)
  return keptHistoryKeys(id, chapters).some((kept) => Buffer.compare(kept, key) === 0)
}

/** What is known of the tasks that records belong to, live or ended; undefined where there is none. */
async function ownersOf(
  survey: Survey,
  page: readonly Entry[],
  ids: readonly Uint8Array[] = page.map(([key]) => taskIdOfKey(key)),
): Promise<(TaskCore | 'damaged' | undefined)[]> {
  const liveKeys = ids.map((id) => taskKey('task', id))
  const doneKeys = ids.map((id) => taskKey('done', id))
  const live = await survey.reader.getMany(liveKeys)
  const done = await survey.reader.getMany(doneKeys)
  return ids.map((_, index) => {
    const isLive = live[index] !== undefined
    const key = (isLive ? liveKeys : doneKeys)[index]
    const value = (isLive ? live : done)[index]
    return key === undefined || value === undefined ? undefined : coreOf(key, value)
  })
}

function coreOf(key: Uint8Array, value: Uint8Array): TaskCore | 'damaged' {
  try {
    return readAnyCore(key, value)
  } catch (error) {
    if (!isDamage(error)) throw error
    return 'damaged'
  }
}

function idOfHistoryKey(key: Uint8Array): Uint8Array {
  return taskIdOfKey(key.subarray(0, key.length - 4))
}

function slotOfKey(key: Uint8Array): number {
  return ((key[1] ?? 0) << 8) | (key[2] ?? 0)
}
