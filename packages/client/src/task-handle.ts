// What an enqueue gives back: the task's id, and the way to its result.

import { decodePayload, isTerminal, type TaskDescription, type TaskIdBytes } from '@tq/core'
import type { CallOptions, Session } from './session.ts'
import { TaskFailedError } from './task-failed-error.ts'
import { taskIdText } from './task-id-text.ts'
import { waitForTask } from './wait-for-task.ts'

export class TaskHandle {
  /** True if the task was there before: the same id or idempotency key was used earlier. */
  readonly existed: boolean
  readonly #session: Session
  readonly #idBytes: TaskIdBytes
  #id: string | undefined

  constructor(session: Session, id: TaskIdBytes, existed: boolean) {
    this.#session = session
    this.#idBytes = id
    this.existed = existed
  }

  /** The 36-character id. */
  get id(): string {
    // Made on demand: a producer of many tasks seldom looks at the ids.
    return (this.#id ??= taskIdText(this.#idBytes))
  }

  /**
   * The decoded result of the task, undefined if it has none.
   * @param options.timeoutMs Longest time to wait; default: until the task ends.
   * @throws {TaskFailedError} if it ended as dead, cancelled or expired.
   * @throws {TqError} TIMEOUT; NOT_FOUND if it ended and its queue keeps no ended tasks.
   */
  async result(options: CallOptions = {}): Promise<unknown> {
    const bytes = await this.resultBytes(options)
    return bytes === undefined ? undefined : decodePayload(bytes)
  }

  /** Like {@link result}, for results that are opaque bytes. */
  async resultBytes(options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return resultOf(await waitForTask(this.#session, this.#idBytes, options))
  }
}

function resultOf(task: TaskDescription): Uint8Array | undefined {
  const { state, end } = task
  if (state === 'completed' || !isTerminal(state) || end === undefined) return end?.result
  throw new TaskFailedError(taskIdText(task.id), { state, ...end })
}
