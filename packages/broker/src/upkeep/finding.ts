// What a check finds wrong with a store: what, under which key, and what to do about it.

/** Kinds of findings, and what a person does about each. docs/operating.md shows the table. */
export const FINDINGS = {
  identity: {
    means: 'the file identity is missing, damaged, or names another store',
    advice: 'restore the whole directory from one backup, or salvage it',
  },
  unopenable: {
    means: 'LevelDB refuses its files',
    advice: 'restore a backup; without one, salvage what is left',
  },
  dropped: {
    means: 'LevelDB left out damaged parts of its log: the newest commits may be incomplete',
    advice: 'restore a backup; without one, salvage what is left',
  },
  unreadable: {
    means: 'LevelDB cannot read a block, and what stood in it is lost',
    advice: 'look at the health of the disk; restore a backup, or salvage what is left',
  },
  head: {
    means: 'the head is missing, damaged, or of another store',
    advice: 'restore the whole directory from one backup, or salvage it',
  },
  behind: {
    means: 'the store is behind its high-water mark: acknowledged commits are lost',
    advice: 'restore a backup; or salvage, and accept the loss',
  },
  'high-water': {
    means: 'the high-water mark cannot be read, or belongs to another store',
    advice: 'if nothing else is found, the store is whole: delete the file high-water',
  },
  damaged: {
    means: 'a record fails its checksum or makes no sense',
    advice: 'a start tolerates it for payload, done, history and dedupe; else restore or salvage',
  },
  gap: {
    means: 'a journal record is missing between others',
    advice: 'restore a backup; without one, salvage what is left',
  },
  missing: {
    means: 'a record is there without one that belongs to it',
    advice: 'salvage into a new directory, or go on: what is missing is not served',
  },
  stray: {
    means: 'a record belongs to nothing',
    advice: 'it does no harm; salvage into a new directory leaves it out',
  },
  contradiction: {
    means: 'two records, or a record and a counter, contradict each other',
    advice: 'report it with the output of this check; salvage leaves out what is older',
  },
  'unknown-key': {
    means: 'a key belongs to no family of this format',
    advice: 'check with the version of tq that wrote the store',
  },
  refused: {
    means: 'a broker would refuse to start on this store',
    advice: 'restore a backup; without one, salvage what is left',
  },
  lost: {
    means: 'salvage: something cannot be brought back',
    advice: 'look for it in a backup, or where it came from, and enqueue it again',
  },
  resurrected: {
    means: 'salvage: a record that had been deleted came back, and was left out',
    advice: 'nothing',
  },
  doubtful: {
    means: 'salvage: something was kept that may be out of date',
    advice: 'look at it; a task may run once more than it should',
  },
  remade: {
    means: 'salvage: a record was lost and made anew from others',
    advice: 'look at it; settings have their defaults again',
  },
  'cut-off': {
    means: 'a start was cut off, or kept evidence of damage',
    advice: 'nothing, if the store is sound: the next start goes on',
  },
} as const satisfies Record<string, { readonly means: string; readonly advice: string }>

export type FindingCode = keyof typeof FINDINGS

export interface Finding {
  readonly code: FindingCode
  /** The key in hex; the path of a file where it is about one. */
  readonly key?: string
  readonly what: string
  readonly advice: string
}

/** Most findings of one code that are told one by one; all of them are counted. */
export const TOLD_PER_CODE_MAX = 100

/** Gathers findings and hands on each as it is found, up to a bound for each code. */
export class FindingList {
  readonly #tell: (finding: Finding) => void
  readonly #counts = new Map<FindingCode, number>()

  constructor(tell: (finding: Finding) => void) {
    this.#tell = tell
  }

  add(code: FindingCode, what: string, key?: Uint8Array | string): void {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    if (count > TOLD_PER_CODE_MAX) return
    const { advice } = FINDINGS[code]
    const name = key instanceof Uint8Array ? Buffer.from(key).toString('hex') : key
    this.#tell({ code, what, advice, ...(name === undefined ? {} : { key: name }) })
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** Findings that make a store unsound: a start that was cut off does not. */
  get unsoundCount(): number {
    let count = 0
    for (const [code, found] of this.#counts) if (code !== 'cut-off') count += found
    return count
  }
}
