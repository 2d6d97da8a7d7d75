// What the worker processes of these tests run: each task writes down that it ran.

import { appendFileSync, existsSync } from 'node:fs'

const LOOK_AGAIN_MS = 20

export const handlers = {
  /** Notes each run in a file, and goes on until another file is there. */
  async note(task, context) {
    const { journal, gate } = task.payload
    appendFileSync(
      journal,
      `${context.taskId} ${context.attempt} ${context.token} ${process.pid}\n`,
    )
    while (gate !== undefined && !existsSync(gate) && !context.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
    context.signal.throwIfAborted()
    return context.attempt
  },
}
