// What the upkeep program reports, as it stands in its JSON. packages/broker/src/upkeep makes them.

export interface CheckReport {
  readonly directory: string
  readonly isSound: boolean
  /** False if a broker refuses to start on it. */
  readonly starts: boolean
  /** What helps, with the commands, if no broker starts on it. */
  readonly advice?: string
  readonly storeId?: string
  readonly epoch?: number
  readonly lsn?: number
  readonly records: Readonly<Record<string, number>>
  readonly queues: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly findings: Readonly<Record<string, number>>
  readonly copiedBytes: number
}

export interface SalvageReport {
  readonly directory: string
  readonly target: string
  readonly storeId: string
  readonly epoch: number
  readonly lsn: number
  readonly opened: 'as-it-was' | 'repaired'
  readonly kept: Readonly<Record<string, number>>
  /** Live tasks that are known to have ended: they run again. */
  readonly revived: number
  /** Other live tasks of which nothing tells whether they have ended. */
  readonly mayHaveEnded: number
  readonly findings: Readonly<Record<string, number>>
  readonly isWhole: boolean
}

export interface BackupReport {
  readonly file: string
  readonly bytes: number
  readonly header: { readonly storeId: string; readonly version: string; readonly atMs: number }
  readonly footer: {
    readonly epoch: number
    readonly lsn: number
    readonly entries: Readonly<Record<string, number>>
  }
}

export interface RestoreReport {
  readonly file: string
  readonly directory: string
  readonly storeId: string
  readonly lsn: number
  readonly epoch: number
  readonly records: Readonly<Record<string, number>>
}
