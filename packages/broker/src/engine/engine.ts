// The engine: decide, then apply. Synchronous, deterministic, without I/O.

import { invariant, type ReplyOf, unreachable } from '@tq/core'
import { apply, forgetEnded } from './apply.ts'
import type { Circumstances, Command } from './command.ts'
import {
  decideComplete,
  decideFail,
  decideProgress,
  decideRelease,
  decideStart,
} from './decide-attempt.ts'
import { type ClaimDecision, decideClaim } from './decide-claim.ts'
import { decideEnqueue } from './decide-enqueue.ts'
import { decideExpire, type ExpireDecision } from './decide-expire.ts'
import {
  decideCancel,
  decideQuarantine,
  decideRedrive,
  decideSetPriority,
} from './decide-operator.ts'
import {
  decideQueuePause,
  decideQueuePurge,
  decideQueueResume,
  decideQueueSet,
} from './decide-queue.ts'
import {
  decideHeartbeat,
  decideLeave,
  decideRegister,
  type HeartbeatDecision,
} from './decide-session.ts'
import { Refusal, type Turn } from './decision.ts'
import type { Fact } from './fact.ts'
import type { Row } from './rows.ts'
import { type EngineOptions, EngineState } from './state.ts'

/** What each command answers when it is not refused. */
export interface Decisions {
  enqueue: ReplyOf<'enqueue'>
  claim: ClaimDecision
  start: ReplyOf<'start'>
  complete: ReplyOf<'complete'>
  fail: ReplyOf<'fail'>
  release: ReplyOf<'release'>
  progress: ReplyOf<'progress'>
  heartbeat: HeartbeatDecision
  cancel: ReplyOf<'cancel'>
  redrive: ReplyOf<'redrive'>
  'set-priority': ReplyOf<'set-priority'>
  register: ReplyOf<'register'>
  leave: ReplyOf<'leave'>
  'queue-set': ReplyOf<'queue-set'>
  'queue-pause': ReplyOf<'queue-pause'>
  'queue-resume': ReplyOf<'queue-resume'>
  'queue-purge': ReplyOf<'queue-purge'>
  expire: ExpireDecision
  'extend-leases': null
  quarantine: ReplyOf<'release'>
  tick: null
}

/** Hears every fact right after it was applied, with the row of the task it is about. */
export type FactListener = (fact: Fact, task: Row) => void

export class Engine {
  readonly state: EngineState
  readonly #listen: FactListener

  constructor(options: EngineOptions, listen: FactListener) {
    this.state = new EngineState(options)
    this.#listen = listen
  }

  /** Carries out one command. A refusal is a value, and then nothing has changed. */
  step<K extends Command['kind']>(
    command: Extract<Command, { kind: K }>,
    circumstances: Circumstances,
  ): Decisions[K] | Refusal {
    invariant(circumstances.tickMs >= this.state.tickMs, 'the tick clock never goes back')
    this.state.tickMs = circumstances.tickMs
    let emitted = 0
    const turn: Turn = {
      ...circumstances,
      state: this.state,
      emit: (fact) => {
        emitted += 1
        this.#listen(fact, apply(this.state, fact))
      },
    }
    const decision = decide(turn, command)
    invariant(!(decision instanceof Refusal) || emitted === 0, 'a refused command changes nothing')
    return decision as Decisions[K] | Refusal
  }

  /** Frees ended tasks whose commit is durable; see {@link forgetEnded}. */
  forget(tasks: readonly Row[]): void {
    forgetEnded(this.state, tasks)
  }
}

function decide(turn: Turn, command: Command): Decisions[Command['kind']] | Refusal {
  switch (command.kind) {
    case 'enqueue':
      return decideEnqueue(turn, command)
    case 'claim':
      return decideClaim(turn, command)
    case 'start':
      return decideStart(turn, command.request.tasks, command.ended)
    case 'complete':
      return decideComplete(turn, command.request.tasks, command.ended)
    case 'fail':
      return decideFail(turn, command.request.tasks, command.ended)
    case 'release':
      return decideRelease(turn, command.request.tasks, command.ended)
    case 'progress':
      return decideProgress(turn, command.request.tasks)
    case 'heartbeat':
      return decideHeartbeat(turn, command)
    case 'cancel':
      return decideCancel(turn, command.request, command.ended)
    case 'redrive':
      return decideRedrive(turn, command.request, command.ended)
    case 'set-priority':
      return decideSetPriority(turn, command.request, command.ended)
    case 'register':
      return decideRegister(turn, command.request, command.session)
    case 'leave':
      return decideLeave(turn, command.session)
    case 'queue-set':
      return decideQueueSet(turn, command.request)
    case 'queue-pause':
      return decideQueuePause(turn, command.request)
    case 'queue-resume':
      return decideQueueResume(turn, command.request)
    case 'queue-purge':
      return decideQueuePurge(turn, command.request)
    case 'expire':
      return decideExpire(turn)
    case 'extend-leases':
      turn.emit({ kind: 'leases-extended', byMs: command.byMs })
      return null
    case 'quarantine':
      return decideQuarantine(turn, command.tasks)
    case 'tick':
      turn.emit({ kind: 'clock-ticked', tickMs: turn.tickMs })
      return null
    default:
      return unreachable(command)
  }
}
