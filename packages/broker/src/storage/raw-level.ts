// LevelDB without the checks of a start: for copies that are looked into, and for stores being made.

import { ClassicLevel } from 'classic-level'
import { errorCode } from './durable-file.ts'
import { LEVEL_OPTIONS } from './level-options.ts'
import type { Level } from './store-verification.ts'

/** Opens what is there. Never to be used on a store that is to be kept: opening changes it. */
export function openLevelCopy(store: string): Promise<Level> {
  return opened(store, false)
}

/** Makes an empty one. */
export function makeLevel(store: string): Promise<Level> {
  return opened(store, true)
}

/**
 * LevelDB's own repair: keeps every table that it can read, and with them entries that were deleted
 * or written over. On a copy only.
 */
export function repairLevelCopy(store: string): Promise<void> {
  return ClassicLevel.repair(store)
}

/** What LevelDB itself said; abstract-level wraps it. */
export function levelSaid(error: unknown): string {
  const cause = causeOf(error)
  return cause instanceof Error ? cause.message : String(cause)
}

/** True if LevelDB says that its files are damaged; false for permissions, space and the like. */
export function isLevelDamage(error: unknown): boolean {
  return errorCode(causeOf(error)) === 'LEVEL_CORRUPTION'
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}

async function opened(store: string, isNew: boolean): Promise<Level> {
  const level: Level = new ClassicLevel(store, {
    ...LEVEL_OPTIONS,
    createIfMissing: isNew,
    errorIfExists: isNew,
  })
  await level.open()
  return level
}
