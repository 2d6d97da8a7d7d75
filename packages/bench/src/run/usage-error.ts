// The error of whoever asks for something that is not.

/** Ends the bench with its sentence, and with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
