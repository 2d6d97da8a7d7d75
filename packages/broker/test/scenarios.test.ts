// Stories against the engine, one a file. TQ_UPDATE=1 writes them anew; a person reads the difference.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runStory } from './scenario.ts'

const FOLDER = new URL('./scenarios/', import.meta.url)
const isUpdate = process.env['TQ_UPDATE'] === '1'

const stories = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))

describe('scenarios', () => {
  it.each(stories)('%s', (name) => {
    const file = new URL(name, FOLDER)
    const text = readFileSync(file, 'utf8')

    const told = runStory(text)

    if (isUpdate) writeFileSync(file, told)
    else expect(told).toBe(text)
  })

  it('are more than none, and each says first what it is about', () => {
    expect(stories.length).toBeGreaterThan(15)
    for (const name of stories) expect(readFileSync(new URL(name, FOLDER), 'utf8')).toMatch(/^# \S/)
  })

  it('fail when the engine tells another story', () => {
    const told = runStory('at 0 enqueue mail t1\n  ok\n  t1 running\n')

    expect(told).toBe('at 0 enqueue mail t1\n  ok\n  t1 queued\n')
  })

  it('refuse a line that is no command', () => {
    expect(() => runStory('at 0 dance')).toThrow('not a command: at 0 dance')
    expect(() => runStory('enqueue mail t1')).toThrow('not a command')
  })
})
