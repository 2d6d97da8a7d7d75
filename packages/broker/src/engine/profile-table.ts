// The profiles in use, each once, counted by the tasks that use them.

import { invariant } from '@tq/core'
import type { Profile } from './profile.ts'

export class ProfileTable {
  readonly #byText = new Map<string, Profile>()
  readonly #byIndex: (Profile | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#byText.size
  }

  at(index: number): Profile {
    const profile = this.#byIndex[index]
    invariant(profile !== undefined, 'a task names a profile in use')
    return profile
  }

  find(text: string): Profile | undefined {
    return this.#byText.get(text)
  }

  /** The profile in use that equals this one, or this one; counts one more use of it. */
  use(profile: Profile): Profile {
    const known = profile.index >= 0 ? profile : (this.#byText.get(profile.text) ?? profile)
    if (known.index < 0) {
      known.index = this.#free.pop() ?? this.#byIndex.length
      this.#byIndex[known.index] = known
      this.#byText.set(known.text, known)
    }
    known.uses += 1
    return known
  }

  /** Counts one use less; a profile without uses is forgotten. */
  release(index: number): void {
    const profile = this.at(index)
    profile.uses -= 1
    if (profile.uses > 0) return
    this.#byText.delete(profile.text)
    this.#byIndex[index] = undefined
    this.#free.push(index)
    profile.index = -1
  }

  *[Symbol.iterator](): Generator<Profile> {
    for (const profile of this.#byIndex) if (profile !== undefined) yield profile
  }
}
