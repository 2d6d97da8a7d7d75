// The parameters of a rig's long run, from the environment; what is wrong ends the run with a sentence.

/** How a rig ends: a run of nothing proves nothing, and is no pass. */
export const EXIT_VIOLATED = 1
export const EXIT_NO_VERDICT = 2

interface Range {
  /** Whole numbers only, unless `isFraction`. */
  readonly min: number
  readonly max?: number
  readonly isFraction?: boolean
}

export class RunParameters {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #refuse: (sentence: string) => never

  constructor(
    env: Readonly<Record<string, string | undefined>>,
    refuse: (sentence: string) => never,
  ) {
    this.#env = env
    this.#refuse = refuse
  }

  /** False: left out, or empty. */
  has(name: string): boolean {
    return this.text(name) !== undefined
  }

  text(name: string): string | undefined {
    return this.#env[name] || undefined
  }

  /** A number in this range; 0 and more if none is named. */
  number(name: string, standard: number, range: Range = { min: 0 }): number {
    const text = this.text(name)
    if (text === undefined) return standard
    const { min, max = Number.MAX_SAFE_INTEGER, isFraction = false } = range
    const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
    const isRight = value >= min && value <= max && (isFraction || Number.isInteger(value))
    if (isRight) return value
    const kind = isFraction ? 'a number' : 'a whole number'
    const bounds = range.max === undefined ? `${min} or more` : `from ${min} to ${max}`
    const example = Number.isFinite(standard) ? `, such as ${standard}` : ''
    return this.#refuse(`${name} is "${text}"; it must be ${kind}, ${bounds}${example}`)
  }

  /** How many of something are to be run: none is not a number of runs. */
  count(name: string, standard: number): number {
    return this.number(name, standard, { min: 1 })
  }

  seconds(name: string, standard: number): number {
    return this.number(name, standard, { min: 0.001, max: 1_000_000, isFraction: true })
  }

  /** One of these words; undefined if it is left out. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name)
    const chosen = choices.find((choice) => choice === text)
    if (text === undefined || chosen !== undefined) return chosen
    const words = choices.map((choice) => `"${choice}"`).join(', ')
    return this.#refuse(`${name} is "${text}"; it must be one of ${words}`)
  }

  /** Some of these words, with commas between them. */
  list<T extends string>(name: string, choices: readonly T[]): readonly T[] {
    const words = (this.text(name) ?? '').split(',').filter((word) => word !== '')
    return words.map((word) => {
      const chosen = choices.find((choice) => choice === word)
      if (chosen !== undefined) return chosen
      const known = choices.join(', ')
      return this.#refuse(`${name} is "${this.text(name)}"; it must be some of ${known}`)
    })
  }

  /** 1 or 0. */
  flag(name: string, standard: boolean): boolean {
    const chosen = this.choice(name, ['0', '1'])
    return chosen === undefined ? standard : chosen === '1'
  }
}

/** Those of this process. */
export const parameters: RunParameters = new RunParameters(process.env, refuseRun)

/** Ends the process with what is wrong, and with the code for "no verdict". */
export function refuseRun(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(EXIT_NO_VERDICT)
}
