// A flood of refused connections makes a line now and then.

import { expect, it } from 'vitest'
import { RefusalLog } from './refusal-log.ts'

it('tells of the first refusal at once, and of those that follow every ten seconds', () => {
  let nowMs = 5
  const told: [number, string][] = []
  const log = new RefusalLog(
    () => nowMs,
    (refused, reason) => told.push([refused, reason]),
  )

  log.note('first')
  for (let second = 0; second < 25; second += 1) {
    nowMs += 1_000
    log.note(`at ${second}`)
  }

  expect(told).toEqual([
    [1, 'first'],
    [10, 'at 9'],
    [10, 'at 19'],
  ])
})
