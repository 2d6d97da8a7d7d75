// Moments as people read them: absolute in UTC, relative to now.

import { showDuration } from './duration.ts'

/** Differences that are not worth a number, in ms. */
const NOW_MS = 1_000

/** `2026-11-20T10:00:00.000Z` */
export function showInstant(atMs: number): string {
  const date = new Date(atMs)
  return Number.isNaN(date.getTime()) ? `${atMs} ms since 1970` : date.toISOString()
}

/** `3m ago`, `in 5s`, `now` */
export function showRelative(atMs: number, nowMs: number): string {
  const ms = atMs - nowMs
  if (Math.abs(ms) < NOW_MS) return 'now'
  return ms < 0 ? `${showDuration(-ms)} ago` : `in ${showDuration(ms)}`
}

/** Both: `2026-11-20T10:00:00.000Z (3m ago)` */
export function showMoment(atMs: number, nowMs: number): string {
  return `${showInstant(atMs)} (${showRelative(atMs, nowMs)})`
}
