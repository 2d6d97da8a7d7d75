// Handlers to play with: tq-worker --module packages/worker/examples/handlers.mjs --queues tour

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

export const handlers = {
  /** Gives back what it got. */
  echo: (task) => task.payload,

  /** SHA-256 of a file: { "path": "README.md" } */
  'hash-file': async (task) =>
    createHash('sha256')
      .update(await readFile(task.payload.path))
      .digest('hex'),

  /** Takes its time and tells how far it is: { "seconds": 20 } */
  slow: async (task, context) => {
    const seconds = task.payload?.seconds ?? 10
    for (let second = 1; second <= seconds; second += 1) {
      await delay(1_000, undefined, { signal: context.signal })
      context.progress(Math.round((100 * second) / seconds), `second ${second} of ${seconds}`)
    }
    return `slept ${seconds} s`
  },

  /** Fails until its third attempt. */
  flaky: (_task, context) => {
    if (context.attempt < 3) throw new Error(`attempt ${context.attempt} did not work`)
    return `attempt ${context.attempt} worked`
  },
}
