// I3, I5, I18: who may end a task, and that its end is final.

import {
  hasHappened,
  type Leased,
  mayHaveHappened,
  type Ordered,
  type Reported,
  type TaskStory,
} from './task-story.ts'

export function reportLaws(story: TaskStory): string[] {
  const taken = story.reported.filter(({ verb, outcome }) => verb !== 'start' && outcome === 'ok')
  return [
    ...staleLaws(story, taken),
    ...finalLaws(story, taken),
    ...failLaws(story, taken),
    ...cancelLaws(story, taken),
    ...endLaws(story, taken),
  ]
}

function staleLaws(story: TaskStory, taken: readonly Reported[]): string[] {
  const broken = new Set<string>()
  const tokens = new Set<number>()
  for (const { token } of taken) {
    if (story.leaseOf(token) === undefined) broken.add('I3: a token was good that nobody was given')
    if (tokens.has(token)) broken.add('I3: two ends were taken under one token')
    tokens.add(token)
  }
  for (const again of story.reported) {
    if (again.verb !== 'complete' || again.outcome !== 'already') continue
    const isEarlier = (other: Reported): boolean =>
      other !== again &&
      other.verb === 'complete' &&
      other.token === again.token &&
      other.askedAt < again.answeredAt &&
      mayHaveHappened(other)
    if (!story.reported.some(isEarlier)) {
      broken.add('I3: a result was "already" there that nobody had sent')
    }
  }
  return [...broken]
}

function finalLaws(story: TaskStory, taken: readonly Reported[]): string[] {
  const completes = taken.filter(({ verb }) => verb === 'complete')
  if (completes.length > 1) return ['I5: a task was completed twice']
  const complete = completes[0]
  if (complete === undefined) return []
  const isLater = ({ lsn }: { readonly lsn: number }): boolean => lsn > complete.lsn
  return [
    ...(story.leased.some(isLater) ? ['I5: a completed task was leased again'] : []),
    ...(taken.some(isLater) ? ['I3: a report was taken after the task had been completed'] : []),
  ]
}

/** What the broker said became of a failed task follows from its counts. */
function failLaws(story: TaskStory, taken: readonly Reported[]): string[] {
  const spec = story.enqueued[0]
  if (spec === undefined) return []
  const isCancelled = story.ordered.some(
    (order) => order.verb === 'cancel' && mayHaveHappened(order),
  )
  const isWrong = ({ token, isRetryable, became }: Reported): boolean => {
    const lease = story.leaseOf(token)
    if (lease === undefined || (became === 'cancelled' && isCancelled)) return false
    const isLast = !isRetryable || lease.failures + 1 >= spec.attemptsMax
    return became !== (isLast ? 'dead' : 'retrying')
  }
  const fails = taken.filter(({ verb }) => verb === 'fail')
  return fails.some(isWrong) ? ['I13: a failed task became what its attempts do not allow'] : []
}

function cancelLaws(story: TaskStory, taken: readonly Reported[]): string[] {
  const cancels = story.ordered.filter((order) => order.verb === 'cancel' && hasHappened(order))
  const redrives = story.ordered.filter(
    (order) => order.verb === 'redrive' && mayHaveHappened(order),
  )
  /** Between the cancel and the end somebody has given the task a new life. */
  const isRevived = (from: Ordered, toLsn: number): boolean =>
    redrives.some(({ lsn }) => lsn === 0 || (lsn >= from.lsn && lsn <= toLsn))
  const broken = new Set<string>()
  for (const cancel of cancels) {
    // A cancel of what is completed is refused: in whichever order they came, only one was taken.
    for (const { verb, lsn } of taken) {
      if (verb !== 'complete') continue
      if (!isRevived(cancel, Math.max(lsn, cancel.lsn))) {
        broken.add('I18: both a cancel and a result were acknowledged')
      }
    }
    // A claim that was asked later got its lease later.
    const isLater = ({ claimedAt }: Leased): boolean => claimedAt > cancel.answeredAt
    if (story.leased.some(isLater) && !isRevived(cancel, Infinity)) {
      broken.add('I18: a task was leased after its cancel had been acknowledged')
    }
    if (story.end?.state !== 'cancelled' && !isRevived(cancel, Infinity)) {
      broken.add('I18: a cancel was acknowledged, and the task ended otherwise')
    }
  }
  return [...broken]
}

function endLaws(story: TaskStory, taken: readonly Reported[]): string[] {
  const { end } = story
  if (end === undefined) return []
  const broken: string[] = []
  const complete = taken.find(({ verb }) => verb === 'complete')
  if (complete !== undefined && end.state !== 'completed') {
    broken.push('I1: an acknowledged result is lost')
  }
  const isBy = ({ verb, token }: Reported): boolean => verb === 'complete' && token === end.by
  if (end.state === 'completed' && !story.reported.some((r) => isBy(r) && mayHaveHappened(r))) {
    broken.push('I3: the stored result is of a token whose result was not taken')
  }
  if (complete !== undefined && end.by !== complete.token && end.state === 'completed') {
    broken.push('I3: the stored result is not the one that was acknowledged')
  }
  const isLast = ({ became }: Reported): boolean => became === 'dead'
  if (end.state !== 'dead' && taken.some(isLast) && !story.mayBeRedriven) {
    broken.push('I5: a task was told to be dead, and ended otherwise')
  }
  const mayBeCancelled = story.ordered.some((o) => o.verb === 'cancel' && mayHaveHappened(o))
  if (end.state === 'cancelled' && !mayBeCancelled) {
    broken.push('I5: a task was cancelled by nobody')
  }
  if (end.state === 'expired' && !story.enqueued.some(({ mayExpire }) => mayExpire)) {
    broken.push('I5: a task has expired that had all the time')
  }
  return broken
}
