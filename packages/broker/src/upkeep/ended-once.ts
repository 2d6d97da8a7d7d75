// Tasks that a salvage keeps alive though they have ended, or may have: they will run again.

import { hexOf } from '../engine/held.ts'
import { familyRange, parseDoneByEndKey, taskKey } from '../storage/key.ts'
import { isSealed } from '../storage/sealed.ts'
import type { JournalStory } from './journal-story.ts'
import type { Survey } from './survey.ts'
import { nameOfTask } from './task-reading.ts'

export interface Losses {
  /** The newest commits are lost. */
  readonly end: boolean
  /** Records came back that were deleted or written over, or deletions may be lost. */
  readonly deletions: boolean
}

export class EndedOnce {
  readonly #survey: Survey
  readonly #story: JournalStory
  readonly #losses: Losses
  readonly #known = new Set<string>()
  #possibleCount = 0

  constructor(survey: Survey, story: JournalStory, losses: Losses) {
    this.#survey = survey
    this.#story = story
    this.#losses = losses
  }

  /** Tasks that have ended and live again. */
  get knownCount(): number {
    return this.#known.size
  }

  /** Others of which nothing tells whether they have ended. */
  get possibleCount(): number {
    return this.#possibleCount
  }

  /** A task that is kept alive; `done` is what stands where the record of its end would be. */
  keep(id: Uint8Array, done: Uint8Array | undefined): void {
    if (this.#isUnsure(id)) this.#possibleCount += 1
    if (done === undefined || isSealed(taskKey('done', id), done)) return
    this.#tellKnown(id, 'a record of its end is there, and damaged')
  }

  /** What the order of ends knows of those that are kept alive. */
  async lookAtEnds(live: ReadonlySet<string>): Promise<void> {
    const { reader } = this.#survey
    for await (const [key] of reader.entries(familyRange('doneByEnd'))) {
      const { id } = parseDoneByEndKey(key)
      const hex = hexOf(id)
      if (!live.has(hex) || this.#known.has(hex)) continue
      // Where the record of the end is there, it has told of itself.
      const [done] = await reader.getMany([taskKey('done', id)])
      if (done === undefined) this.#tellKnown(id, 'it stands in the order of ends')
    }
  }

  /** Says how many there may be beside those that were named. */
  tellPossible(): void {
    const count = this.possibleCount
    if (count === 0) return
    const why = this.#losses.end
      ? 'the newest commits are lost'
      : 'older records may have come back'
    const others = this.knownCount === 0 ? '' : 'other '
    const text = `${count} ${others}live ${count === 1 ? 'task' : 'tasks'} may have ended: ${why}, and nothing left tells`
    this.#survey.findings.add('revived', text)
  }

  #tellKnown(id: Uint8Array, why: string): void {
    const isUnsure = this.#isUnsure(id)
    // Whoever has lived on after its end was redriven.
    if (!isUnsure && this.#story.of(id) !== undefined) return
    if (isUnsure) this.#possibleCount -= 1
    this.#known.add(hexOf(id))
    const key = taskKey('task', id)
    const text = `${nameOfTask(key)} has ended once and is kept alive: ${why}`
    this.#survey.findings.add('revived', text, key)
  }

  /** True unless the journal, whole from there to its end, says that it lives. */
  #isUnsure(id: Uint8Array): boolean {
    const { end, deletions } = this.#losses
    if (end) return true
    const told = this.#story.of(id)
    if (this.#story.gapCount > 0) {
      return told === undefined || told.lsn < this.#story.wholeFromLsn
    }
    return told === undefined && deletions
  }
}
