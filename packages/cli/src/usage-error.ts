// What a command is refused for before anything is sent: the person's own mistake.

/** Its text is all that is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
