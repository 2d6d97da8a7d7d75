// How a bug of our own stops the process: invariant() and unreachable().

/** A broken law of the program itself. Never a user's mistake; nobody catches it but `main`. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Throws {@link InvariantError} unless `holds`. Stays on in production. */
export function invariant(holds: boolean, law: string): asserts holds {
  if (!holds) throw new InvariantError(law)
}

/** The last line of an exhaustive switch: the compiler refuses it while a case is missing. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`)
}
