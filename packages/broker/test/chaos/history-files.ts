// Reads the histories of a directory, one line at a time.

import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { HistoryLine } from './history-line.ts'
import type { Stories } from './stories.ts'

export async function readHistories(directory: string, stories: Stories): Promise<void> {
  for (const name of (await readdir(directory)).toSorted()) {
    if (name.endsWith('.jsonl')) await readHistory(join(directory, name), stories)
  }
}

async function readHistory(path: string, stories: Stories): Promise<void> {
  const ear = stories.history()
  let torn: string | undefined
  for await (const text of createInterface({
    input: createReadStream(path),
    crlfDelay: Infinity,
  })) {
    if (torn !== undefined) throw new Error(`${path} has a torn line in the middle: ${torn}`)
    const line = parse(text)
    if (line === undefined) torn = text
    else ear.hear(line)
  }
  ear.close()
}

/** Undefined for the line in which its writer was killed. */
function parse(text: string): HistoryLine | undefined {
  try {
    return JSON.parse(text) as HistoryLine
  } catch {
    return undefined
  }
}
