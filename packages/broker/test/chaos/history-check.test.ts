// The checker: a good history passes, and each law is broken by a planted violation.

import { describe, expect, it } from 'vitest'
import { A, B, HistoryBuilder, type Tell } from './history-builder.ts'
import { type QueueCount, violationsOf } from './history-check.ts'
import { PLANTED_VIOLATIONS } from './planted-violations.ts'
import { repeatsOf } from './run-laws.ts'
import { Stories } from './stories.ts'

function storiesOf(tell: Tell): Stories {
  const stories = new Stories()
  const builders = ['p', 'w', 'o'].map((session) => new HistoryBuilder(stories, session))
  tell(...(builders as [HistoryBuilder, HistoryBuilder, HistoryBuilder]))
  for (const builder of builders) builder.close()
  return stories
}

/** The laws that a history breaks, each once. */
function brokenBy(tell: Tell, counts: readonly QueueCount[] = []): string[] {
  return [...new Set(violationsOf(storiesOf(tell), counts).map(({ law }) => law))]
}

describe('a history that holds all laws', () => {
  it('passes: a task is enqueued, leased, run and completed', () => {
    const broken = brokenBy(
      (producer, worker) => {
        producer.enqueue(1, [A]).ok(2, 10).acknowledged(3, [A]).end(A, { by: 7 })
        worker.lease(4, 11, A, 7).run(6, A, 7).report(8, 'complete', A, 7).ok(9, 12)
      },
      [{ queue: 'q', live: 0, kept: 1, dead: 0 }],
    )
    expect(broken).toEqual([])
  })

  it('passes: what was never answered may have happened, or not', () => {
    expect(
      brokenBy((producer, worker) => {
        producer.enqueue(1, [A, B]).end(A, { by: 7 }).end(B, { by: 8 })
        worker.lease(4, 11, A, 7).report(8, 'complete', A, 7)
        worker.lease(9, 12, B, 8).report(10, 'complete', B, 8)
      }),
    ).toEqual([])
    expect(brokenBy((producer) => void producer.enqueue(1, [A, B]))).toEqual([])
  })

  it('passes: a lease is lost, the task runs again, and the late result is refused', () => {
    const tell: Tell = (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8, losses: 1 })
      worker.lease(4, 11, A, 7).run(6, A, 7).report(40, 'complete', A, 7)
      worker.ok(41, 15, { refused: [[0, 'STALE_LEASE']] })
      other.lease(20, 12, A, 8, { losses: 1 }).run(22, A, 8)
      other.report(23, 'complete', A, 8).ok(24, 13)
    }
    expect(brokenBy(tell)).toEqual([])
    const stories = storiesOf(tell)
    expect(repeatsOf(stories.story(A), stories.sessions)).toEqual(['lost'])
  })

  it('passes: released and leased anew in one commit', () => {
    expect(
      brokenBy((producer, worker, other) => {
        producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8 })
        worker.lease(4, 11, A, 7).report(8, 'release', A, 7).ok(9, 12)
        other.lease(7, 12, A, 8).report(20, 'complete', A, 8).ok(21, 13)
      }),
    ).toEqual([])
  })
})

describe('a planted violation is found', () => {
  it.each(PLANTED_VIOLATIONS)('%s', (law, tell) => {
    expect(brokenBy(tell)).toContain(law)
  })

  it.each([
    { queue: 'q', live: 1, kept: 1, dead: 0 },
    { queue: 'q', live: 0, kept: 2, dead: 0 },
    { queue: 'q', live: 0, kept: 1, dead: 1 },
    { queue: 'q', live: 0, kept: null, dead: null },
  ])('I19: counters differ from the store: $live live, $kept kept, $dead dead', (count) => {
    const broken = brokenBy(
      (producer, worker) => {
        producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
        worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
      },
      [count],
    )
    expect(broken).toEqual(['I19: counters differ from the store'])
  })
})

describe('a task that runs again', () => {
  it('I18: may complete after a cancel if somebody redrove it in between', () => {
    expect(
      brokenBy((producer, worker) => {
        producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7, generation: 1 })
        producer.ask(3, { v: 'cancel', x: [A] }).ok(4, 11, { outcomes: ['cancelled'] })
        producer.ask(5, { v: 'redrive', x: [A] }).ok(6, 12)
        worker.lease(7, 13, A, 7).report(9, 'complete', A, 7).ok(10, 14)
      }),
    ).toEqual([])
  })

  it('T8: may have been given up by a worker whose own clock said that the lease was over', () => {
    const stories = storiesOf((producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8 })
      worker.lease(4, 11, A, 7).run(6, A, 7).ask(10, { v: 'heartbeat', n: 1, x: [] })
      other.lease(20, 12, A, 8).run(22, A, 8).report(23, 'complete', A, 8).ok(24, 13)
    })
    expect(violationsOf(stories, [])).toEqual([])
    expect(repeatsOf(stories.story(A), stories.sessions)).toEqual(['given up'])
  })
})
