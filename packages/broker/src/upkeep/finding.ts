// What a check finds wrong with a store: what, under which key, and what to do about it.

/** Kinds of findings, and what a person does about each. docs/operating.md shows the table. */
export const FINDINGS = {
  unfinished: {
    means: 'a restore or a salvage into this directory was cut off: there is no store in it',
    advice: 'remove the directory, and restore or salvage again',
  },
  identity: {
    means: 'the file identity is missing, damaged, or names another store',
    advice: 'restore a backup; without one, salvage what is left',
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
    advice: 'restore a backup; without one, salvage what is left',
  },
  behind: {
    means: 'the store is behind its high-water mark: acknowledged commits are lost',
    advice: 'restore a backup; or salvage, and accept the loss',
  },
  'high-water': {
    means: 'the high-water mark cannot be read, or belongs to another store',
    advice: 'if nothing else is found, delete the file high-water; else restore or salvage',
  },
  damaged: {
    means: 'a record fails its checksum or makes no sense',
    advice: 'restore a backup; without one, salvage what is left, which leaves it out',
  },
  gap: {
    means: 'a journal record is missing between others',
    advice: 'restore a backup; without one, salvage what is left',
  },
  missing: {
    means: 'a record is there without one that belongs to it',
    advice: 'restore a backup; without one, salvage what is left',
  },
  stray: {
    means: 'a record belongs to nothing',
    advice: 'nothing: it does no harm, and is never served',
  },
  contradiction: {
    means: 'two records, or a record and a counter, contradict each other',
    advice: 'restore a backup; without one, salvage what is left',
  },
  'unknown-key': {
    means: 'a key belongs to no family of this format',
    advice: 'use the version of tq that wrote the store, or a later one',
  },
  refused: {
    means: 'a broker would refuse to start on this store',
    advice: 'restore a backup; without one, salvage what is left',
  },
  lost: {
    means: 'salvage: something cannot be brought back',
    advice: 'look for it in a backup; what had ended need not run again',
  },
  resurrected: {
    means: 'salvage: a record that had been deleted came back, and was left out',
    advice: 'nothing',
  },
  revived: {
    means: 'salvage: a task that has ended, or may have, is kept alive, so that none is lost',
    advice:
      'what has ended will run again; if it must not, pause its queue or cancel it (tq-admin task cancel) before workers connect',
  },
  doubtful: {
    means: 'salvage: something was kept that may be out of date',
    advice: 'look at it before workers connect',
  },
  remade: {
    means: 'salvage: a record was lost and made anew from others',
    advice: 'look at it; a queue has the settings of a new one, and is to be resumed',
  },
  'cut-off': {
    means: 'a start was cut off',
    advice: 'nothing: the next start goes on',
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

/** Findings of one code that are told one by one if nothing else is asked; all are counted. */
export const TOLD_PER_CODE = 100

export interface FindingOptions {
  /** Findings of one code that are told one by one. */
  readonly toldMax?: number | undefined
  /** The store is being salvaged, so nobody is to be told to do that. */
  readonly isSalvage?: boolean
}

const OF_SALVAGE: ReadonlySet<FindingCode> = new Set([
  'lost',
  'resurrected',
  'revived',
  'doubtful',
  'remade',
])
const IN_SALVAGE = 'nothing: only a backup has what is lost; what came of it is listed'
const TORN =
  'what it belongs to is lost, perhaps with what cannot be read: restore a backup; without one, salvage what is left'

/** Gathers findings and hands on each as it is found, up to a bound for each code. */
export class FindingList {
  readonly #tell: (finding: Finding) => void
  readonly #toldMax: number
  readonly #isSalvage: boolean
  readonly #counts = new Map<FindingCode, number>()

  constructor(tell: (finding: Finding) => void, options: FindingOptions = {}) {
    this.#tell = tell
    this.#toldMax = options.toldMax ?? TOLD_PER_CODE
    this.#isSalvage = options.isSalvage ?? false
  }

  /** @param advice What to do about this one, if it is not what is done about its kind. */
  add(
    code: FindingCode,
    what: string,
    key?: Uint8Array | string,
    advice: string = this.#adviceOn(code),
  ): void {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    if (count > this.#toldMax) return
    const name = key instanceof Uint8Array ? Buffer.from(key).toString('hex') : key
    this.#tell({ code, what, advice, ...(name === undefined ? {} : { key: name }) })
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  #adviceOn(code: FindingCode): string {
    if (this.#isSalvage && !OF_SALVAGE.has(code)) return IN_SALVAGE
    return code === 'stray' && this.has('unreadable', 'dropped') ? TORN : FINDINGS[code].advice
  }

  has(...codes: readonly FindingCode[]): boolean {
    return codes.some((code) => this.#counts.has(code))
  }

  /** Findings that make a store unsound: a start that was cut off does not. */
  get unsoundCount(): number {
    let count = 0
    for (const [code, found] of this.#counts) if (code !== 'cut-off') count += found
    return count
  }
}
