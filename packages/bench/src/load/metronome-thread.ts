// The thread of the metronome: sleeps until the next beat is due.

import { parentPort, workerData } from 'node:worker_threads'
import type { MetronomeMessage, Rhythm } from './metronome.ts'
import { monotonicUs } from './monotonic.ts'

const { beats, intervalUs } = workerData as Rhythm
/** Nobody ever wakes it: waiting for it is a sleep of less than a millisecond. */
const bell = new Int32Array(new SharedArrayBuffer(4))

const startUs = monotonicUs() + intervalUs
say({ startUs })
let beat = 0
while (beat < beats) {
  const waitMs = (startUs + beat * intervalUs - monotonicUs()) / 1_000
  if (waitMs > 0) Atomics.wait(bell, 0, 0, waitMs)
  const due = Math.floor((monotonicUs() - startUs) / intervalUs) + 1
  if (due <= beat) continue
  beat = Math.min(beats, due)
  say({ due: beat })
}

function say(message: MetronomeMessage): void {
  parentPort?.postMessage(message)
}
