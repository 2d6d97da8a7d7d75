// Builders for tests of the pipeline: requests with what does not matter filled in.

import type { ClaimedTask, HeldTask, ReplyOf, RequestOf, TaskIdBytes, TaskSpec } from '@tq/core'
import type { Peer } from './pipeline-rig.ts'
import { aTask, aTaskId, type TaskWish } from './task-builder.ts'

export function enqueueOf(
  queue: string,
  tasks: readonly TaskSpec[],
  more: Partial<RequestOf<'enqueue'>> = {},
): RequestOf<'enqueue'> {
  return { verb: 'enqueue', queue, tasks, fresh: true, ...more }
}

export function claimOf(more: Partial<RequestOf<'claim'>> = {}): RequestOf<'claim'> {
  return {
    verb: 'claim',
    queues: ['mail'],
    max: 1,
    waitMs: 0,
    start: true,
    claim: 1,
    order: 'round',
    ...more,
  }
}

export function completeOf(...tasks: readonly (HeldTask | ClaimedTask)[]): RequestOf<'complete'> {
  return { verb: 'complete', tasks: tasks.map((task) => ({ ...held(task), result: undefined })) }
}

export function beatOf(
  leases: readonly (HeldTask | ClaimedTask)[],
  received = 0,
): RequestOf<'heartbeat'> {
  return { verb: 'heartbeat', leases: leases.map(held), received }
}

/** Enqueues a task of queue mail and gives its id. */
export async function enqueued(
  peer: Peer,
  number: number,
  wish: TaskWish = {},
): Promise<TaskIdBytes> {
  const id = aTaskId('mail', number)
  await peer.reply(enqueueOf('mail', [aTask({ id, ...wish })]))
  return id
}

/** Claims the next task of queue mail. */
export async function claimed(
  peer: Peer,
  claim: number,
  more: Partial<RequestOf<'claim'>> = {},
): Promise<ClaimedTask> {
  const { tasks } = await peer.reply<ReplyOf<'claim'>>(claimOf({ claim, ...more }))
  const [task] = tasks
  if (task === undefined) throw new Error('the claim got no task')
  return task
}

export function held(task: HeldTask | ClaimedTask): HeldTask {
  return 'token' in task ? { id: task.id, token: task.token } : { id: task[0], token: task[1] }
}
