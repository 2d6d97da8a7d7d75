// Every option of LevelDB, spelled out: none is left to a default that may change.

const MIB = 1024 * 1024

/**
 * Measured with the churn of a queue (enqueue, lease and completion of 130 to 220 bytes in commits
 * of 500 records) on Node 20: what differs by less than a tenth is kept as LevelDB has it.
 */
export const LEVEL_OPTIONS = {
  // Bytes as they are. The other choice, Buffer, costs a conversion at each record of a batch.
  keyEncoding: 'view',
  valueEncoding: 'view',
  errorIfExists: false,
  // Snappy costs no more CPU than the bytes it saves from being rewritten by compactions.
  compression: true,
  /** Of blocks as they are read: payloads are read once, so a large one earns nothing. */
  cacheSize: 16 * MIB,
  // Four times the default: short-lived tasks die before they reach a table file, which saves a
  // tenth to a fifth of all CPU per task. Twice this is held in memory at most, and replayed at
  // the next open.
  writeBufferSize: 16 * MIB,
  blockSize: 4096,
  maxOpenFiles: 1_000,
  blockRestartInterval: 16,
  // The thousand files that LevelDB keeps open then hold 8 GB.
  maxFileSize: 8 * MIB,
  // One thread has the handle; this would only share it with others of the process.
  multithreading: false,
} as const

type LevelOptions = Omit<typeof LEVEL_OPTIONS, 'cacheSize' | 'writeBufferSize' | 'compression'> & {
  readonly cacheSize: number
  readonly writeBufferSize: number
  readonly compression: boolean
}

/** What an operator may choose; the rest is settled by measurement. */
export interface LevelTuning {
  readonly cacheBytes: number
  readonly writeBufferBytes: number
  readonly compression: boolean
}

/** The options of LevelDB with an operator's choices in place of what was measured best. */
export function levelOptions(tuning: LevelTuning | undefined): LevelOptions {
  if (tuning === undefined) return LEVEL_OPTIONS
  const { cacheBytes, writeBufferBytes, compression } = tuning
  return { ...LEVEL_OPTIONS, cacheSize: cacheBytes, writeBufferSize: writeBufferBytes, compression }
}
