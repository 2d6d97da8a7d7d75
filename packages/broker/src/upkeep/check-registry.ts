// The head, the engine record, queues and sessions: what all other records are checked against.

import { limits, slotOfQueue } from '@tq/core'
import { DEFAULT_QUEUE_SETTINGS, Queue } from '../engine/queue.ts'
import { decodeHead, HEAD_KEY, type Head } from '../storage/head-record.ts'
import { ENGINE_KEY, FAMILIES, familyRange, queueKey, sessionRecordKey } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import { decodeEngine, decodeQueue, decodeSession } from '../storage/registry-record.ts'
import { decodeWall, WALL_KEY, type WallStep } from '../storage/wall-record.ts'
import type { Survey } from './survey.ts'

export async function checkRegistry(survey: Survey): Promise<void> {
  await checkMeta(survey)
  await checkNames(survey)
  await checkQueues(survey)
  await checkSessions(survey)
  await checkUnknownKeys(survey)
}

async function checkMeta(survey: Survey): Promise<void> {
  const { reader, findings } = survey
  const [head, engine] = await reader.getMany([HEAD_KEY, ENGINE_KEY])
  survey.head = readHead(survey, head)
  if (engine !== undefined) {
    survey.engine = survey.read('the engine record', ENGINE_KEY, () =>
      decodeEngine(ENGINE_KEY, engine),
    )
  } else if (survey.head !== undefined && survey.head.lsn > 0) {
    findings.add('missing', `commit ${survey.head.lsn} was written without an engine record`)
  }
  if (survey.head === undefined || survey.engine === undefined) return
  const { epoch } = survey.head
  const { lastToken } = survey.engine
  if (lastToken >= (epoch + 1) * limits.TOKENS_PER_EPOCH) {
    const text = `token ${lastToken} is beyond epoch ${epoch} of the head`
    findings.add('contradiction', text, ENGINE_KEY)
  }
}

async function checkNames(survey: Survey): Promise<void> {
  const { reader, findings } = survey
  for await (const [key, value] of reader.entries(familyRange('meta'))) {
    if (Buffer.compare(key, WALL_KEY) === 0) {
      const steps = survey.read('the wall record', key, () => decodeWall(value))
      survey.wallWentBack = wentBack(steps ?? [])
    } else if (Buffer.compare(key, HEAD_KEY) !== 0 && Buffer.compare(key, ENGINE_KEY) !== 0) {
      findings.add('unknown-key', 'a name in the family meta is not known', key)
    }
  }
}

/** While the wall clock only runs ahead, what was written later has the later moment. */
function wentBack(steps: readonly WallStep[]): boolean {
  return steps.some(({ aheadMs }, index) => aheadMs < (steps[index - 1]?.aheadMs ?? -Infinity))
}

function readHead(survey: Survey, bytes: Uint8Array | undefined): Head | undefined {
  const { findings } = survey
  if (bytes === undefined) {
    findings.add('head', 'the head is missing: nothing tells the last commit', HEAD_KEY)
    return undefined
  }
  const reading = decodeHead(HEAD_KEY, bytes)
  switch (reading.kind) {
    case 'head':
      return reading.head
    case 'newer':
      findings.add(
        'head',
        `the store has format ${reading.formatVersion}, which is newer`,
        HEAD_KEY,
      )
      return undefined
    case 'corrupt':
      findings.add('head', 'the head is damaged', HEAD_KEY)
      return undefined
  }
}

async function checkQueues(survey: Survey): Promise<void> {
  const { findings } = survey
  const names = new Set<string>()
  for await (const page of survey.pages('queue')) {
    for (const entry of page) {
      const queue = readQueue(survey, entry)
      if (queue === undefined) continue
      const [key] = entry
      if (names.has(queue.name)) {
        findings.add('contradiction', `queue "${queue.name}" is there twice`, key)
      }
      names.add(queue.name)
      if (survey.engine !== undefined && queue.number >= survey.engine.nextQueueNumber) {
        const text = `queue "${queue.name}" has the number ${queue.number}, the next to be given is ${survey.engine.nextQueueNumber}`
        findings.add('contradiction', text, key)
      }
      survey.queues.set(queue.number, queue)
    }
  }
}

function readQueue(survey: Survey, [key, value]: Entry): Queue | undefined {
  return survey.read('a queue record', key, () => {
    const { number, name, settings } = decodeQueue(key, value)
    const own = queueKey(slotOfQueue(name), number)
    if (Buffer.compare(own, key) !== 0) {
      const text = `queue "${name}" (number ${number}) stands under the key of another`
      survey.findings.add('contradiction', text, key)
    }
    return new Queue(number, name, { ...DEFAULT_QUEUE_SETTINGS, ...settings })
  })
}

async function checkSessions(survey: Survey): Promise<void> {
  for await (const page of survey.pages('session')) {
    for (const [key, value] of page) {
      const session = survey.read('a session record', key, () => decodeSession(key, value))
      if (session === undefined) continue
      survey.sessions.add(session.id)
      const own = sessionRecordKey(Uint8Array.from(Buffer.from(session.id, 'hex')))
      if (Buffer.compare(own, key) === 0) continue
      const text = `session ${session.id} stands under the key of another`
      survey.findings.add('contradiction', text, key)
    }
  }
}

async function checkUnknownKeys(survey: Survey): Promise<void> {
  const last = Math.max(...Object.values(FAMILIES))
  const range = { from: Uint8Array.of(last + 1), to: new Uint8Array(16).fill(0xff) }
  for await (const [key] of survey.reader.entries(range)) {
    survey.findings.add('unknown-key', 'a key belongs to no family', key)
  }
}
