// Where a waiting task stands: in its ready lane, or in a heap of due times.

import { limits } from '@tq/core'
import type { Heap } from './heap.ts'
import { LaneGroup } from './lane.ts'
import type { Profile } from './profile.ts'
import { type Queue, requirementsKey } from './queue.ts'
import type { Row } from './rows.ts'
import type { EngineState } from './state.ts'

/** Makes a task `queued` and puts it into its lane; its queue is then woken. */
export function placeReady(state: EngineState, task: Row): void {
  const { tasks } = state
  const profile = state.profileOf(task)
  tasks.setState(task, 'queued')
  profile.queue.addToCount('queued', 1)
  laneHeapOf(state, profile, tasks.priority(task)).insert(task, tasks.rankBaseMs(task))
  if (!profile.queue.paused) state.woken.add(profile.queue)
}

/** Takes a waiting task out of its lane or heap and out of its queue's count. */
export function unplace(state: EngineState, task: Row): void {
  const { tasks } = state
  const from = tasks.state(task)
  const profile = state.profileOf(task)
  profile.queue.addToCount(from, -1)
  if (from === 'scheduled') state.scheduled.remove(task)
  else if (from === 'retrying') state.retrying.remove(task)
  else laneHeapOf(state, profile, tasks.priority(task)).remove(task)
}

/** The group of lanes for these requirements, made on first use. */
function groupOf(state: EngineState, profile: Profile): LaneGroup {
  const { queue } = profile
  const key = profile.requires === undefined ? '' : requirementsKey(profile.requires)
  const found = queue.groups.get(key)
  if (found !== undefined) return found
  if (queue.groups.size >= queue.groupsRoom) dropEmptyGroups(queue)
  const group = new LaneGroup(key, profile.requires, state.laneHeap)
  queue.groups.set(key, group)
  queue.groupsVersion += 1
  return group
}

/** Requirements come from clients: groups that no task waits in any more must not pile up. */
function dropEmptyGroups(queue: Queue): void {
  for (const [key, group] of queue.groups) if (group.isEmpty) queue.groups.delete(key)
  queue.groupsRoom = Math.max(limits.REQUIREMENT_SETS_PER_QUEUE_MAX, 2 * queue.groups.size)
  queue.groupsVersion += 1
}

function laneHeapOf(state: EngineState, profile: Profile, priority: number): Heap {
  return groupOf(state, profile).laneOf(priority).heap
}
