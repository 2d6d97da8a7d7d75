// The start as named steps, each with its time and counts; the one under way is marked on disk.

import type { Clock, StartupReport, StartupStep } from '@tq/core'
import type { StepRunner } from './storage/recovery.ts'
import { StartMarker } from './storage/start-marker.ts'
import type { OpeningStep } from './storage/store-opening.ts'

type Counts = Readonly<Record<string, number>>

/** Recovery has a step "verify" of its own: that one reads commits, this one the store's head. */
const NAMES_OF_OPENING: Readonly<Record<OpeningStep, string>> = {
  lock: 'lock',
  open: 'open',
  verify: 'verify-store',
}

export class Startup {
  readonly #clock: Clock
  readonly #marker: StartMarker
  readonly #startedAtMs: number
  readonly #beganAtMs: number
  readonly #steps: StartupStep[] = []
  #openStep: { readonly name: string; readonly sinceMs: number } | undefined
  #abortedBefore: string | undefined

  constructor(clock: Clock, dataDir: string) {
    this.#clock = clock
    this.#marker = new StartMarker(dataDir)
    this.#startedAtMs = clock.wallMs()
    this.#beganAtMs = clock.monotonicMs()
  }

  /** Enters a step of opening the store, which ends the one before. */
  readonly enterOpening = async (step: OpeningStep): Promise<void> => {
    const name = NAMES_OF_OPENING[step]
    this.opened()
    this.#openStep = { name, sinceMs: this.#clock.monotonicMs() }
    // Before the lock is held, the marker belongs to the broker that may be running.
    if (step === 'lock') return
    if (step === 'open') this.#abortedBefore = await this.#marker.readAborted()
    await this.#marker.enter(name)
  }

  /** The store is open: its last step has ended. */
  opened(): void {
    if (this.#openStep !== undefined) this.#note(this.#openStep, {})
    this.#openStep = undefined
  }

  /** Runs a step, once the store is open. */
  readonly run: StepRunner = async (name, step) => {
    const sinceMs = this.#clock.monotonicMs()
    await this.#marker.enter(name)
    const { value, counts } = await step()
    this.#note({ name, sinceMs }, counts)
    return value
  }

  /** The start has come to an end of its own, good or bad: it was not cut off. */
  ended(): Promise<void> {
    return this.#marker.clear()
  }

  /** The steps so far, as a report of the whole start. */
  report(of: { readonly epoch: number; readonly lsn: number }): StartupReport {
    const aborted = this.#abortedBefore
    return {
      startedAtMs: this.#startedAtMs,
      totalMs: rounded(this.#clock.monotonicMs() - this.#beganAtMs),
      epoch: of.epoch,
      lsn: of.lsn,
      ...(aborted === undefined ? {} : { abortedBefore: aborted }),
      steps: [...this.#steps],
      warnings: [],
    }
  }

  #note(step: { readonly name: string; readonly sinceMs: number }, counts: Counts): void {
    const ms = rounded(this.#clock.monotonicMs() - step.sinceMs)
    this.#steps.push({ name: step.name, ms, counts })
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
