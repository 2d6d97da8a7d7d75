// Reads a backup from its first byte to its last, and says what is in it.

import { readBackup, type ReadBackup } from './backup-reader.ts'

export interface BackupReport extends ReadBackup {
  readonly file: string
}

/** @throws {Refused} */
export async function verifyBackup(file: string): Promise<BackupReport> {
  return { file, ...(await readBackup(file, () => {})) }
}
