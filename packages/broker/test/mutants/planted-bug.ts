// A deliberate bug: which text of the source becomes which other text, and what ought to notice.

/** A rig or a folder of tests; the cheap ones come first. */
export type Rung =
  'engine' | 'storage' | 'pipeline' | 'simulation' | 'crash-points' | 'power-cut' | 'end-to-end'

export interface Edit {
  /** Below packages/broker/src. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly replace: string
}

export interface PlantedBug {
  readonly name: string
  /** What a user would suffer. */
  readonly harm: string
  /** The invariant that it breaks, by its number in docs/reliability.md. */
  readonly breaks: string
  readonly edits: readonly Edit[]
  /** Tried in this order until one fails; without it, the whole ladder. */
  readonly rungs?: readonly Rung[]
}

/** The text with all edits made. @throws {Error} naming the edit whose text is not there once. */
export function plant(source: string, edit: Edit): string {
  const parts = source.split(edit.find)
  if (parts.length !== 2) {
    throw new Error(
      `"${edit.find}" stands ${parts.length - 1} times in ${edit.file}; it must be there once. ` +
        'The code has moved on: plant the bug anew.',
    )
  }
  return parts.join(edit.replace)
}
