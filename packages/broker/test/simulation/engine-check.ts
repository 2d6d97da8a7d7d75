// Compares the engine's memory with the reference model: nothing more, nothing less, field by field.

import type { Row } from '../../src/engine/rows.ts'
import { NO_ROW } from '../../src/engine/rows.ts'
import type { EngineState } from '../../src/engine/state.ts'
import { FLAG_CANCEL_REQUESTED } from '../../src/engine/task-table.ts'
import { bytesOf, hexOf, shortOf } from './heard.ts'
import type { Model } from './model.ts'
import type { ModelLease, ModelTask } from './model-task.ts'
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
  const same = sameness(trace, task)
  const { tasks } = state
  const profile = state.profileOf(row)
  same('queue', profile.queue.name, task.queue)
  same('type', profile.type, task.type)
  same('state', tasks.state(row), task.state)
  same('priority', tasks.priority(row), task.priority)
  same('failures', tasks.failures(row), task.failures)
  same('losses', tasks.losses(row), task.losses)
  same('generation', tasks.generation(row), task.generation)
  same('chapters', tasks.chapters(row), task.chapters)
  same('sequence', tasks.sequence(row), task.sequence)
  same('rankBaseMs', tasks.rankBaseMs(row), task.rankBaseMs)
  same('expiresAtMs', tasks.expiresAtMs(row), task.expiresAtMs)
  same('createdAtMs', tasks.createdAtMs(row), task.createdAtMs)
  same('timeoutMs', tasks.timeoutMs(row), task.timeoutMs)
  same('payloadBytes', tasks.payloadBytes(row), task.payload.length)
  same('maxAttempts', profile.maxAttempts, task.maxAttempts)
  same('maxLost', profile.maxLost, task.maxLost)
  same('cancelRequested', tasks.hasFlag(row, FLAG_CANCEL_REQUESTED), task.cancelRequested)
  if (profile.requires !== task.requires) {
    same('requires', JSON.stringify(profile.requires), JSON.stringify(task.requires))
  }
  const isWaiting = task.state === 'scheduled' || task.state === 'retrying'
  if (isWaiting) same('dueAt', tasks.dueAt(row), task.dueAt)
  checkLease(state, row, task.lease, same)
}

type Same = (name: string, actual: unknown, expected: unknown) => void

function sameness(trace: Trace, { id }: ModelTask): Same {
  return (name, actual, expected) => {
    if (actual === expected) return
    const values = `${String(actual)}, not ${String(expected)}`
    trace.violate(`I8: ${name} of task ${shortOf(id)} is ${values}`)
  }
}

function checkLease(state: EngineState, row: Row, lease: ModelLease | undefined, same: Same): void {
  const held = state.tasks.lease(row)
  same('lease', held === NO_ROW, lease === undefined)
  if (held === NO_ROW || lease === undefined) return
  const { leases } = state
  same('session', state.sessionAt(leases.session(held)).key, lease.session)
  same('token', leases.token(held), lease.token)
  same('claim', leases.claim(held), lease.claim)
  same('leaseMs', leases.leaseMs(held), lease.leaseMs)
  same('endTickMs', leases.endTickMs(held), lease.endTickMs)
  same('deadlineTickMs', leases.deadlineTickMs(held), lease.deadlineTickMs)
  same('assignedAtMs', leases.assignedAtMs(held), lease.assignedAtMs)
  same('startedAtMs', leases.startedAtMs(held), lease.startedAtMs)
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
