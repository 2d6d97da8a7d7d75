// T8: a task runs again only for a reason: its lease was lost, it failed, or it was given back.

import type { SessionStory } from './stories.ts'
import { type Leased, mayHaveHappened, type TaskStory } from './task-story.ts'

/** Why a task ran again, for the summary. */
export type Cause = 'failed' | 'released' | 'given up' | 'lost' | 'timed out' | 'redriven'

type Sessions = ReadonlyMap<string, SessionStory>

export function runLaws(story: TaskStory, sessions: Sessions): string[] {
  const broken = new Set<string>()
  for (const { token } of story.runs) {
    if (story.leaseOf(token) === undefined) broken.add('I2: a handler ran without a lease')
  }
  const tokens = story.runs.map(({ token }) => token)
  if (new Set(tokens).size < tokens.length) broken.add('T8: a task ran twice under one token')
  for (const cause of repeatsOf(story, sessions)) {
    if (cause === undefined) broken.add('T8: a task ran again for no reason')
  }
  return [...broken]
}

/** For each time that the task ran again: why. */
export function repeatsOf(story: TaskStory, sessions: Sessions): (Cause | undefined)[] {
  if (story.runs.length < 2) return []
  const tokens = [...new Set(story.runs.map(({ token }) => token))].toSorted((a, b) => a - b)
  return tokens.slice(1).map((token, index) => {
    const before = story.leaseOf(tokens[index] ?? 0)
    const after = story.leaseOf(token)
    return before === undefined || after === undefined
      ? undefined
      : causeOf(story, [before, after], sessions)
  })
}

function causeOf(
  story: TaskStory,
  [before, after]: readonly [Leased, Leased],
  sessions: Sessions,
): Cause | undefined {
  const reports = story.reported.filter(
    (report) => report.token === before.token && mayHaveHappened(report),
  )
  if (reports.some(({ verb }) => verb === 'fail')) return 'failed'
  if (reports.some(({ verb }) => verb === 'release')) return 'released'
  const session = sessions.get(before.session)
  if (session?.leftAt.some((at) => at > before.askedAt) === true) return 'released'
  if (after.losses > before.losses) return 'lost'
  if (story.enqueued.some(({ mayTimeOut }) => mayTimeOut) && after.failures > before.failures) {
    return 'timed out'
  }
  if (story.mayBeRedriven) return 'redriven'
  return session !== undefined && wasGivenUp(before, session) ? 'given up' : undefined
}

/** A worker whose own clock says that a lease may be over does not name it any more. */
function wasGivenUp({ claim, token, answeredAt }: Leased, { heartbeats }: SessionStory): boolean {
  const number = Number(claim.split('/')[1])
  return heartbeats.some(
    ({ askedAt, received, tokens }) =>
      askedAt > answeredAt && received >= number && !tokens.includes(token),
  )
}
