// I2, I4, I13: one lease at a time, tokens that only grow, attempts and losses within their bounds.

import { LOSS_MS_MIN } from './client-role.ts'
import { type Leased, mayHaveHappened, type TaskStory } from './task-story.ts'

export function leaseLaws(story: TaskStory): string[] {
  const leases = [...new Map(story.leased.map((lease) => [lease.token, lease])).values()].toSorted(
    (one, other) => one.token - other.token,
  )
  return [
    ...overlapLaws(story),
    ...countLaws(story, leases),
    ...lossLaws(story, leases),
    ...endCountLaws(story),
  ]
}

/** When and in which commits a token was seen to hold the task. */
interface Reign {
  readonly claims: Set<string>
  /** The earliest that it was seen to hold it. */
  grantedLsn: number
  grantedAt: number
  /** The latest: by commit, and by when it was asked. */
  liveLsn: number
  liveAskedAt: number
}

function overlapLaws(story: TaskStory): string[] {
  const broken = new Set<string>()
  let liveLsn = 0
  let liveAskedAt = 0
  for (const [, reign] of [...leaseEvidence(story)].toSorted(([one], [other]) => one - other)) {
    if (reign.claims.size > 1) broken.add('I4: one token was granted to two claims')
    // Ended and granted anew in one commit is in order; the commit has no time in between.
    if (liveLsn > reign.grantedLsn) broken.add('I2: leases overlap in the order of commits')
    if (liveAskedAt > reign.grantedAt) {
      broken.add('I2: an older token was still good after a newer one had been granted')
    }
    liveLsn = Math.max(liveLsn, reign.liveLsn)
    liveAskedAt = Math.max(liveAskedAt, reign.liveAskedAt)
  }
  return [...broken]
}

/** By token. */
export function leaseEvidence(story: TaskStory): Map<number, Reign> {
  const reigns = new Map<number, Reign>()
  for (const { token, claim, lsn, answeredAt, askedAt } of story.leased) {
    const reign = reigns.get(token) ?? {
      claims: new Set(),
      grantedLsn: Infinity,
      grantedAt: Infinity,
      liveLsn: 0,
      liveAskedAt: 0,
    }
    reigns.set(token, reign)
    reign.claims.add(claim)
    reign.grantedLsn = Math.min(reign.grantedLsn, lsn)
    reign.grantedAt = Math.min(reign.grantedAt, answeredAt)
    reign.liveLsn = Math.max(reign.liveLsn, lsn)
    reign.liveAskedAt = Math.max(reign.liveAskedAt, askedAt)
  }
  for (const { verb, token, outcome, lsn, askedAt } of story.reported) {
    const reign = reigns.get(token)
    const isLive = outcome === 'ok' || (verb === 'start' && outcome === 'already')
    if (reign === undefined || !isLive) continue
    reign.liveLsn = Math.max(reign.liveLsn, lsn)
    reign.liveAskedAt = Math.max(reign.liveAskedAt, askedAt)
  }
  for (const [token, askedAt] of story.renewedAt ?? []) {
    const reign = reigns.get(token)
    if (reign !== undefined) reign.liveAskedAt = Math.max(reign.liveAskedAt, askedAt)
  }
  return reigns
}

function countLaws(story: TaskStory, leases: readonly Leased[]): string[] {
  const broken = new Set<string>()
  const spec = story.enqueued[0]
  for (const { attempt, failures, losses } of leases) {
    if (attempt !== 1 + failures + losses)
      broken.add('I13: the attempt is not 1 + failures + losses')
    if (spec === undefined) continue
    if (failures >= spec.attemptsMax) broken.add('I13: leased after its last attempt had failed')
    if (losses >= spec.lossesMax) broken.add('I13: leased after its last loss')
  }
  if (story.mayBeRedriven) return [...broken]
  for (const [index, lease] of leases.entries()) {
    const before = leases[index - 1]
    if (before === undefined) continue
    if (lease.losses < before.losses) broken.add('I13: losses were forgotten')
    const span = failuresBetween(story, before.token, lease.token)
    if (lease.failures < before.failures + span.certain) broken.add('I13: failures were forgotten')
    if (lease.failures > before.failures + span.possible) broken.add('I13: failures were made up')
  }
  return [...broken]
}

/** A loss takes time: of a lease that runs out, or of a worker that is silent. */
function lossLaws(story: TaskStory, leases: readonly Leased[]): string[] {
  if (story.mayBeRedriven) return []
  const isTooSoon = leases.some((lease, index) => {
    const before = leases[index - 1]
    const lossCount = before === undefined ? 0 : lease.losses - before.losses
    if (before === undefined || lossCount <= 0) return false
    const tookMs = (lease.answeredAt - safeAt(story, before)) / 1_000
    return tookMs < lossCount * LOSS_MS_MIN
  })
  return isTooSoon
    ? ['I11: a lease was lost before its time, or giving it back counted as a loss']
    : []
}

/** The latest moment at which the lease surely had all its time, or was given back by its worker. */
function safeAt(story: TaskStory, { token, claimedAt }: Leased): number {
  const givenBack = story.reported.filter(
    (report) => report.token === token && report.verb === 'release' && report.outcome === 'ok',
  )
  const renewedAt = story.renewedAt?.get(token) ?? 0
  return Math.max(claimedAt, renewedAt, ...givenBack.map(({ askedAt }) => askedAt))
}

/** How many failures came from the tokens between the two, the first included. */
function failuresBetween(
  story: TaskStory,
  from: number,
  to: number,
): { readonly certain: number; readonly possible: number } {
  if (story.enqueued.some(({ mayTimeOut }) => mayTimeOut)) return { certain: 0, possible: Infinity }
  const fails = story.reported.filter(
    ({ verb, token }) => verb === 'fail' && token >= from && token < to,
  )
  const tokensOf = (list: typeof fails): number => new Set(list.map(({ token }) => token)).size
  return {
    certain: tokensOf(fails.filter(({ outcome }) => outcome === 'ok')),
    possible: tokensOf(fails.filter(mayHaveHappened)),
  }
}

function endCountLaws(story: TaskStory): string[] {
  const { end } = story
  const spec = story.enqueued[0]
  if (end === undefined || spec === undefined) return []
  const broken: string[] = []
  if (end.failures > spec.attemptsMax || end.losses > spec.lossesMax) {
    broken.push('I13: more failures or losses than allowed')
  }
  if (end.generation > 0 && !story.mayBeRedriven) {
    broken.push('I5: an ended task lives again, though nobody redrove it')
  }
  if (end.state !== 'dead') return broken
  const isRight = {
    attempts_exhausted: end.failures === spec.attemptsMax,
    losses_exhausted: end.losses === spec.lossesMax,
    not_retryable: story.reported.some(
      (report) => report.verb === 'fail' && !report.isRetryable && mayHaveHappened(report),
    ),
  }[end.reason as string]
  if (isRight !== true) broken.push(`I13: dead for the wrong reason, ${end.reason}`)
  return broken
}
