// The journal: one record for each commit, from the first that is kept to the last, none missing.

import { decodeJournal } from '../storage/journal-record.ts'
import { lsnOfJournalKey } from '../storage/key.ts'
import type { Survey } from './survey.ts'

export async function checkJournal(survey: Survey): Promise<void> {
  const { findings, engine, head } = survey
  let expected = engine?.journalFromLsn
  let lastTickMs = 0
  for await (const page of survey.pages('journal')) {
    for (const [key, value] of page) {
      const lsn = lsnOfJournalKey(key)
      if (engine !== undefined && lsn < engine.journalFromLsn) {
        findings.add(
          'stray',
          `commit ${lsn} is before ${engine.journalFromLsn}, where the journal begins`,
          key,
        )
        continue
      }
      if (head !== undefined && lsn > head.lsn) {
        findings.add('contradiction', `commit ${lsn} is behind the last one, ${head.lsn}`, key)
      }
      if (expected !== undefined && lsn > expected) findings.add('gap', gapText(expected, lsn), key)
      expected = lsn + 1
      const record = survey.read(`the journal of commit ${lsn}`, key, () =>
        decodeJournal(key, value),
      )
      if (record === undefined) continue
      if (record.tickMs < lastTickMs) {
        const text = `commit ${lsn} is of tick ${record.tickMs}, one before it of ${lastTickMs}`
        findings.add('contradiction', text, key)
      }
      lastTickMs = Math.max(lastTickMs, record.tickMs)
    }
  }
  if (head === undefined || head.lsn === 0) return
  const end = head.lsn + 1
  if (expected !== undefined && expected < end) findings.add('gap', gapText(expected, end))
}

function gapText(from: number, to: number): string {
  return to === from + 1 ? `commit ${from} is missing` : `commits ${from} to ${to - 1} are missing`
}
