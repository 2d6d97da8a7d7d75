// Follows the state of every task by the facts alone, and holds each change against core's table.

import { isTransition, type Reason, type TaskState } from '@tq/core'
import type { Fact } from '../src/engine/fact.ts'
import { hexOf } from '../src/engine/held.ts'
import { NO_ROW, type Row } from '../src/engine/rows.ts'
import type { EngineState } from '../src/engine/state.ts'

interface Step {
  readonly to: TaskState
  readonly reason: Reason
}

export class TransitionWatch {
  /** Every transition that was seen, such as `running > queued released`. */
  readonly seen = new Set<string>()
  readonly #states = new Map<string, TaskState>()
  #lastToken = 0

  /** To be called right after the fact was applied. Throws if the table does not allow it. */
  heard(state: EngineState, fact: Fact, task: Row): void {
    if (fact.kind === 'task-leased') this.#checkToken(fact.token)
    if (task === NO_ROW) return
    const id = hexOf(state.tasks.id(task))
    if (fact.kind === 'task-enqueued') this.#begin(id, state.tasks.state(task))
    if (fact.kind === 'task-redriven') this.#expect(id, fact.ended.end.state)
    for (const step of stepsOf(fact)) this.#go(id, step)
    this.#expect(id, state.tasks.state(task))
  }

  /** Takes over tasks that came from disk, without facts of their own. */
  adopt(state: EngineState): void {
    this.#lastToken = state.lastToken
    for (let task = 0; task < state.tasks.rows.end; task += 1) {
      if (state.tasks.isUsed(task))
        this.#states.set(hexOf(state.tasks.id(task)), state.tasks.state(task))
    }
  }

  /** Between two steps: no task has another state than its facts tell. */
  sweep(state: EngineState): void {
    for (let task = 0; task < state.tasks.rows.end; task += 1) {
      if (state.tasks.isUsed(task))
        this.#expect(hexOf(state.tasks.id(task)), state.tasks.state(task))
    }
  }

  #checkToken(token: number): void {
    if (token <= this.#lastToken) fail(`token ${token} came after ${this.#lastToken}`)
    this.#lastToken = token
  }

  #begin(id: string, to: TaskState): void {
    if (this.#states.has(id)) fail(`task ${id} was enqueued twice`)
    if (to !== 'queued' && to !== 'scheduled') fail(`a new task is ${to}`)
    this.#states.set(id, to)
  }

  #go(id: string, { to, reason }: Step): void {
    const from = this.#states.get(id)
    if (from === undefined) return fail(`task ${id} was never enqueued`)
    if (!isTransition(from, to, reason)) fail(`${from} > ${to} ${reason} is not allowed`)
    this.seen.add(`${from} > ${to} ${reason}`)
    this.#states.set(id, to)
  }

  #expect(id: string, found: TaskState): void {
    const told = this.#states.get(id)
    if (told !== found) fail(`task ${id} is ${found}, but its facts tell ${String(told)}`)
  }
}

/** What a fact says about the state of its task; a claim that starts at once makes two steps. */
function stepsOf(fact: Fact): readonly Step[] {
  switch (fact.kind) {
    case 'task-due':
      return [{ to: 'queued', reason: 'due' }]
    case 'task-leased':
      return fact.deadlineTickMs > 0
        ? [
            { to: 'assigned', reason: 'claimed' },
            { to: 'running', reason: 'started' },
          ]
        : [{ to: 'assigned', reason: 'claimed' }]
    case 'task-started':
      return [{ to: 'running', reason: 'started' }]
    case 'task-released':
      return [{ to: 'queued', reason: fact.reason }]
    case 'task-retried':
      return [{ to: 'retrying', reason: fact.reason }]
    case 'task-ended':
      return [{ to: fact.state, reason: fact.reason }]
    case 'task-redriven':
      return [{ to: 'queued', reason: 'redriven' }]
    case 'task-purged':
      return [{ to: 'cancelled', reason: 'cancelled' }]
    default:
      return []
  }
}

function fail(text: string): never {
  throw new Error(`a transition broke the law: ${text}`)
}
