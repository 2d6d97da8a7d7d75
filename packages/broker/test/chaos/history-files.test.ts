// Reading histories: the last line of a killed process may be torn, and nothing else.

import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { readHistories } from './history-files.ts'
import type { HistoryLine } from './history-line.ts'
import { Stories } from './stories.ts'

const ID = 'a'.repeat(32)
const TASK = { id: ID, h: 'payload', attempts: 1, losses: 1 }
const ASK: HistoryLine = {
  k: 'ask',
  t: 1,
  c: 1,
  i: 1,
  s: 'p',
  a: { v: 'enqueue', q: 'q', x: [TASK] },
}
const OK: HistoryLine = { k: 'ok', t: 2, c: 1, i: 1, l: 5, r: {} }

it('leaves the outcome of a request open if the line of its answer is torn', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'producer.jsonl')
  await writeFile(path, `${JSON.stringify(ASK)}\n${JSON.stringify(OK).slice(0, 20)}`)
  const stories = new Stories()
  await readHistories(directory, stories)
  expect(stories.story(ID).enqueued.map(({ outcome }) => outcome)).toEqual(['unknown'])
  expect(stories.openCount).toBe(1)
})

it('refuses a history that goes on after a torn line', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'producer.jsonl')
  await writeFile(path, `${JSON.stringify(ASK).slice(0, 20)}\n`)
  await appendFile(path, `${JSON.stringify(OK)}\n`)
  await expect(readHistories(directory, new Stories())).rejects.toThrow('torn line')
})

it('pairs requests and answers of each process by itself', async () => {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'one.jsonl'), `${JSON.stringify(ASK)}\n`)
  await writeFile(join(directory, 'two.jsonl'), `${JSON.stringify(OK)}\n`)
  const stories = new Stories()
  await readHistories(directory, stories)
  expect(stories.story(ID).isAcknowledged).toBe(false)
})
