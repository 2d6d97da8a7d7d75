// "Did you mean": the known name that a misspelt one is nearest to.

/** Edits beyond which two names have nothing to do with each other. */
const EDITS_MAX = 3

/** Beginnings shorter than this say nothing. */
const BEGINNING_MIN = 4

/** The name that may have been meant: misspelt, or written out or shortened at its end. */
export function similarName(name: string, known: readonly string[]): string | undefined {
  const near = nearestName(name, known)
  if (near !== undefined) return near
  return known.find((candidate) => {
    const [short, long] = name.length < candidate.length ? [name, candidate] : [candidate, name]
    return short.length >= BEGINNING_MIN && long.toLowerCase().startsWith(short.toLowerCase())
  })
}

/** The known name with the fewest differences; undefined if none is near. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let edits = Math.min(EDITS_MAX, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < edits) {
      edits = distance
      nearest = candidate
    }
  }
  return nearest
}

/** Insertions, deletions, replacements and swaps of neighbours that make one text the other. */
export function editDistance(one: string, other: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1]
      const isSwap = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(beforeLast, column - 2) + 1 : Infinity,
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, other.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}
