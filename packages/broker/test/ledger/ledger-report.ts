// What a check of a ledger against a broker has found.

export interface LedgerReport {
  /** Operations that were acknowledged since the ledger was begun. */
  readonly acknowledged: number
  /** Requests without an answer since the last check, whose outcome this check has found out. */
  readonly unknown: number
  /** Of these, how many turned out to have been carried out. */
  readonly unknownTaken: number
  /** Requests that were refused since the ledger was begun. */
  readonly refused: number
  readonly tasks: number
  /** Acknowledged, and not there any more. I1, I8. */
  readonly lost: readonly string[]
  /** Requests of which one part was carried out and another was not. I7. */
  readonly halfBatches: readonly string[]
  /** In a state, or with content, that no acknowledged or unknown operation explains. I2, I5, I18. */
  readonly wrong: readonly string[]
  /** Tokens that are not above all that were given before. I4. */
  readonly tokenRepeats: readonly string[]
  /** Tasks that nobody has enqueued. */
  readonly unexpected: readonly string[]
}

/** All that must not be, in one list. */
export function violationsOf(report: LedgerReport): string[] {
  const { lost, halfBatches, wrong, tokenRepeats, unexpected } = report
  return [
    ...lost.map((text) => `lost: ${text}`),
    ...halfBatches.map((text) => `half a batch: ${text}`),
    ...wrong.map((text) => `wrong: ${text}`),
    ...tokenRepeats.map((text) => `token: ${text}`),
    ...unexpected.map((text) => `unexpected: ${text}`),
  ]
}
