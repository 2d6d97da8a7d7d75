// What histories must hold, whatever was killed in between: the laws of the promise, one by one.

import { claimLaws } from './claim-laws.ts'
import { leaseLaws } from './lease-laws.ts'
import { reportLaws } from './report-laws.ts'
import { runLaws } from './run-laws.ts'
import type { KeyUse, Stories } from './stories.ts'
import type { TaskStory } from './task-story.ts'

export interface Violation {
  /** Number and words, such as `I2: leases overlap`. */
  readonly law: string
  /** The story that broke it, or what else there is to say. */
  readonly evidence: string
}

/** What the broker counted in a queue at the end. */
export interface QueueCount {
  readonly queue: string
  readonly live: number
  /** Ended tasks that are kept, the dead by themselves. */
  readonly kept: number | null
  readonly dead: number | null
}

/** Checks all stories of a run that has been drained. Linear in what they tell. */
export function violationsOf(stories: Stories, counts: readonly QueueCount[]): Violation[] {
  const violations: Violation[] = stories.bugs.map((law) => ({ law, evidence: '' }))
  for (const story of stories.tasks.values()) {
    const broken = [
      ...storedLaws(story),
      ...leaseLaws(story),
      ...reportLaws(story),
      ...runLaws(story, stories.sessions),
    ]
    for (const law of broken) violations.push({ law, evidence: String(story) })
  }
  violations.push(...claimLaws(stories), ...batchLaws(stories), ...keyLaws(stories))
  violations.push(...countLaws(stories, counts))
  return violations
}

function storedLaws(story: TaskStory): string[] {
  const broken: string[] = []
  if (story.isAcknowledged && story.end === undefined) {
    broken.push('I1: an acknowledged task is lost')
  }
  if (story.isThere && !story.mayExist) {
    broken.push(
      story.enqueued.length === 0
        ? 'I1: a task is there that nobody enqueued'
        : 'I1: a task is there whose enqueue was refused',
    )
  }
  const known = story.enqueued[0]
  if (known !== undefined && story.leased.some(({ h }) => h !== known.h)) {
    broken.push('I1: a worker got another payload than the one that was enqueued')
  }
  return broken
}

function batchLaws(stories: Stories): Violation[] {
  const violations: Violation[] = []
  for (const { tasks, outcome } of stories.batches) {
    const thereCount = tasks.filter(({ isThere }) => isThere).length
    if (thereCount === 0 || thereCount === tasks.length) continue
    const law = 'I7: of one enqueue some tasks are there and some are not'
    const ids = tasks.map(({ id, isThere }) => `${id}${isThere ? '' : ' (missing)'}`).join(', ')
    violations.push({ law, evidence: `${thereCount} of ${tasks.length}, ${outcome}: ${ids}` })
  }
  return violations
}

function keyLaws(stories: Stories): Violation[] {
  return [...stories.keyUses.values()].flatMap((uses) => {
    const evidence = uses.map((use) => JSON.stringify(use)).join('\n')
    return keyLawsOf(uses).map((law) => ({ law, evidence }))
  })
}

function keyLawsOf(uses: readonly KeyUse[]): string[] {
  const taken = uses.filter(({ outcome }) => outcome === 'ok')
  const broken: string[] = []
  if (new Set(taken.map(({ id }) => id)).size > 1) {
    broken.push('I6: one idempotency key was answered with two tasks')
  }
  if (new Set(taken.map(({ h }) => h)).size > 1) {
    broken.push('I6: one idempotency key was taken for two different tasks')
  }
  for (const use of uses.filter(({ outcome }) => outcome === 'CONFLICT')) {
    const isRival = (other: KeyUse): boolean => other.h !== use.h && other.askedAt < use.answeredAt
    if (!uses.some(isRival)) broken.push('I6: a conflict with nothing that was ever asked')
  }
  return broken
}

function countLaws(stories: Stories, counts: readonly QueueCount[]): Violation[] {
  const stored = new Map(counts.map(({ queue }) => [queue, { kept: 0, dead: 0 }]))
  for (const { end } of stories.tasks.values()) {
    const count = end === undefined ? undefined : stored.get(end.queue)
    if (count === undefined) continue
    count[end?.state === 'dead' ? 'dead' : 'kept'] += 1
  }
  return counts.flatMap(({ queue, live, kept, dead }) => {
    const there = stored.get(queue)
    if (live === 0 && kept === there?.kept && dead === there.dead) return []
    const told = `the broker counts ${live} live, ${kept} kept, ${dead} dead`
    const evidence = `queue ${queue}: ${told}; the store has ${there?.kept} kept, ${there?.dead} dead`
    return [{ law: 'I19: counters differ from the store', evidence }]
  })
}
