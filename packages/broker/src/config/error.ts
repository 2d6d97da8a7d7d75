// A configuration that is refused: every problem with its place and what would be right.

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** One sentence each; the place comes first. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const heading = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super(`the configuration has ${heading}:\n${problems.map((line) => `  ${line}`).join('\n')}`)
    this.problems = problems
  }
}
