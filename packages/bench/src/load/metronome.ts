// Beats at even moments. Timers of the event loop are whole milliseconds late, a spinning loop takes
// a core from the broker: so a thread sleeps until each beat, and says so.

import { Worker } from 'node:worker_threads'

export interface Rhythm {
  readonly beats: number
  readonly intervalUs: number
}

/** Calls with the moment when each beat was due; resolves after the last. */
export interface Beats {
  run(onBeat: (dueUs: number) => void): Promise<void>
}

/** What the thread says: when the first beat is due, then how many have been due so far. */
export type MetronomeMessage = { readonly startUs: number } | { readonly due: number }

export class Metronome implements Beats {
  readonly #rhythm: Rhythm

  constructor(rhythm: Rhythm) {
    this.#rhythm = rhythm
  }

  /**
   * Calls `onBeat` with the moment when each beat was due: none is left out, and those that this
   * process missed come at once. Resolves after the last.
   */
  async run(onBeat: (dueUs: number) => void): Promise<void> {
    const { beats, intervalUs } = this.#rhythm
    const entry = new URL('./metronome-thread.js', import.meta.url)
    const thread = new Worker(entry, { workerData: this.#rhythm })
    let startUs = 0
    let beat = 0
    try {
      await new Promise<void>((resolve, reject) => {
        thread.once('error', reject)
        thread.on('message', (message: MetronomeMessage) => {
          if ('startUs' in message) {
            startUs = message.startUs
            return
          }
          for (; beat < message.due; beat += 1) onBeat(startUs + beat * intervalUs)
          if (beat === beats) resolve()
        })
      })
    } finally {
      await thread.terminate()
    }
  }
}
