// Compares the engine's memory with the reference model: nothing more, nothing less, field by field.

import type { Row } from '../../src/engine/rows.ts'
import { NO_ROW } from '../../src/engine/rows.ts'
import type { EngineState } from '../../src/engine/state.ts'
import { FLAG_CANCEL_REQUESTED } from '../../src/engine/task-table.ts'
import { bytesOf, hexOf, shortOf } from './heard.ts'
import type { Model } from './model.ts'
import type { ModelTask } from './model-task.ts'
import type { Trace } from './trace.ts'

export function checkEngine(trace: Trace, state: EngineState, model: Model): void {
  const live = model.live.size
  for (const task of model.live.values()) {
    checkTask(trace, state, task)
  }
  trace.law(state.liveCount === live, () => `I19: ${live} live tasks, not ${state.liveCount}`)
  checkQueues(trace, state, model)
  checkSessions(trace, state, model)
  trace.law(state.nextSequence >= model.nextSequence, 'the engine counts enqueues on')
  trace.law(state.lastToken >= model.lastToken, 'I4: the engine counts tokens on')
}

function checkTask(trace: Trace, state: EngineState, task: ModelTask): void {
  const row = state.index.find(bytesOf(task.id))
  if (row === undefined || state.ends.has(row)) {
    trace.violate(`I1: live task ${shortOf(task.id)} is not in memory`)
    return
  }
  const { tasks } = state
  const profile = state.profileOf(row)
  const fields: readonly (readonly [string, unknown, unknown])[] = [
    ['queue', profile.queue.name, task.queue],
    ['type', profile.type, task.type],
    ['state', tasks.state(row), task.state],
    ['priority', tasks.priority(row), task.priority],
    ['failures', tasks.failures(row), task.failures],
    ['losses', tasks.losses(row), task.losses],
    ['generation', tasks.generation(row), task.generation],
    ['chapters', tasks.chapters(row), task.chapters],
    ['sequence', tasks.sequence(row), task.sequence],
    ['rankBaseMs', tasks.rankBaseMs(row), task.rankBaseMs],
    ['expiresAtMs', tasks.expiresAtMs(row), task.expiresAtMs],
    ['createdAtMs', tasks.createdAtMs(row), task.createdAtMs],
    ['timeoutMs', tasks.timeoutMs(row), task.timeoutMs],
    ['payloadBytes', tasks.payloadBytes(row), task.payload.length],
    ['maxAttempts', profile.maxAttempts, task.maxAttempts],
    ['maxLost', profile.maxLost, task.maxLost],
    ['requires', JSON.stringify(profile.requires), JSON.stringify(task.requires)],
    ['cancelRequested', tasks.hasFlag(row, FLAG_CANCEL_REQUESTED), task.cancelRequested],
    ...(task.state === 'scheduled' || task.state === 'retrying'
      ? ([['dueAt', tasks.dueAt(row), task.dueAt]] as const)
      : []),
    ...leaseFields(state, row, task),
  ]
  for (const [name, actual, expected] of fields) {
    if (actual === expected) continue
    trace.violate(
      `I8: ${name} of task ${shortOf(task.id)} is ${String(actual)}, not ${String(expected)}`,
    )
    return
  }
}

function leaseFields(
  state: EngineState,
  row: Row,
  { lease }: ModelTask,
): (readonly [string, unknown, unknown])[] {
  const held = state.tasks.lease(row)
  if (held === NO_ROW || lease === undefined)
    return [['lease', held === NO_ROW, lease === undefined]]
  const { leases } = state
  return [
    ['session', state.sessionAt(leases.session(held)).key, lease.session],
    ['token', leases.token(held), lease.token],
    ['claim', leases.claim(held), lease.claim],
    ['leaseMs', leases.leaseMs(held), lease.leaseMs],
    ['endTickMs', leases.endTickMs(held), lease.endTickMs],
    ['deadlineTickMs', leases.deadlineTickMs(held), lease.deadlineTickMs],
    ['assignedAtMs', leases.assignedAtMs(held), lease.assignedAtMs],
    ['startedAtMs', leases.startedAtMs(held), lease.startedAtMs],
  ]
}

function checkQueues(trace: Trace, state: EngineState, model: Model): void {
  trace.law(state.queuesByName.size === model.queues.size, 'all queues are there, and no others')
  for (const queue of model.queues.values()) {
    const actual = state.queuesByName.get(queue.name)
    const isSame =
      actual !== undefined &&
      actual.number === queue.number &&
      actual.paused === queue.paused &&
      JSON.stringify(actual.settings) === JSON.stringify(queue.settings)
    trace.law(isSame, () => `queue ${queue.name} is as it was set`)
  }
}

function checkSessions(trace: Trace, state: EngineState, model: Model): void {
  trace.law(
    state.sessionsByKey.size === model.sessions.size,
    'all sessions are there, and no others',
  )
  for (const session of model.sessions.values()) {
    const actual = state.sessionsByKey.get(session.key)
    const isSame =
      actual !== undefined &&
      hexOf(actual.id) === session.key &&
      actual.principal === session.principal &&
      (actual.worker !== undefined) === session.isWorker &&
      JSON.stringify(actual.worker?.labels) === JSON.stringify(session.labels)
    trace.law(isSame, () => `session ${shortOf(session.key)} is as it registered`)
  }
}
