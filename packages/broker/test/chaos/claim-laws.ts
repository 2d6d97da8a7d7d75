// I24: a claim that is sent again is the same claim: it gives no second set of leases.

import { leaseEvidence } from './lease-laws.ts'
import type { Stories } from './stories.ts'

/** One answer to a claim that had tasks in it. */
export interface ClaimAnswer {
  readonly lsn: number
  readonly leases: readonly { readonly id: string; readonly token: number }[]
}

export interface BrokenClaim {
  readonly law: string
  readonly evidence: string
}

export function claimLaws(stories: Stories): BrokenClaim[] {
  const broken: BrokenClaim[] = []
  for (const [claim, answers] of stories.claims) {
    const ordered = answers.toSorted((one, other) => one.lsn - other.lsn)
    const [first, ...later] = ordered
    const isSecondSet = (answer: ClaimAnswer): boolean =>
      first !== undefined && hasNew(answer, first) && isLive(stories, first, answer.lsn)
    if (!later.some(isSecondSet)) continue
    const law = 'I24: a claim that was sent again was given other leases beside its own'
    broken.push({ law, evidence: `claim ${claim}: ${JSON.stringify(ordered)}` })
  }
  return broken
}

function hasNew(answer: ClaimAnswer, first: ClaimAnswer): boolean {
  const known = new Set(first.leases.map(({ token }) => token))
  return answer.leases.some(({ token }) => !known.has(token))
}

/** Some lease of the first answer was still good after this commit; in one, a worker may leave and return. */
function isLive(stories: Stories, { leases }: ClaimAnswer, lsn: number): boolean {
  return leases.some(({ id, token }) => {
    const evidence = leaseEvidence(stories.story(id)).get(token)
    return evidence !== undefined && evidence.liveLsn > lsn
  })
}
