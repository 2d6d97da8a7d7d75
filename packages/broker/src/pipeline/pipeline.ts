// The life of a request: fetch, command, decide, apply, commit, reply. Read this file first.

import {
  type ErrorCode,
  type Request,
  type RequestOf,
  slotOfQueue,
  type TaskIdBytes,
  type TaskSpec,
  TqError,
  unreachable,
  type Verb,
} from '@tq/core'
import { Refusal } from '../engine/decision.ts'
import type { Command, EndedTasks, EnqueueFindings } from '../engine/command.ts'
import { Backlog } from './backlog.ts'
import { BackupDesk } from './backup-desk.ts'
import { admit, type AdmissionLimits } from './admission.ts'
import { ClaimDesk } from './claim-desk.ts'
import { Conversation, type Sink, type Speaker } from './conversation.ts'
import { fetchEnded, fetchFindings, hashesOf } from './fetch.ts'
import type { Partition } from './partition.ts'
import { ReadDesk } from './read-desk.ts'
import { StopBell } from './stop-bell.ts'
import type { Fact } from '../engine/fact.ts'
import { sessionKey } from '../engine/session.ts'
import { NO_ROW, type Row } from '../engine/rows.ts'

export interface PipelineOptions {
  readonly admission: AdmissionLimits
  readonly heartbeatMs: number
  /** Version of the broker, for stats. */
  readonly version: string
  /** The store's id in hex, for backups; a store in memory has none. */
  readonly storeId?: string
}

/** Names no store: what a store in memory is called in its backups. */
const NO_STORE_ID = '0'.repeat(32)

export interface PipelineEvents {
  readonly onAnswer: (verb: Verb, code: ErrorCode | 'OK') => void
}

export class Pipeline {
  readonly #partition: Partition
  readonly #options: PipelineOptions
  readonly #events: PipelineEvents
  readonly #conversations = new Set<Conversation>()
  /** The newest conversation of each session, by its key. */
  readonly #newest = new Map<string, Conversation>()
  readonly #claims: ClaimDesk
  readonly #reads: ReadDesk
  readonly #backups: BackupDesk
  readonly #bell: StopBell
  readonly #backlog: Backlog
  #isStopped = false

  constructor(partition: Partition, options: PipelineOptions, events: PipelineEvents) {
    this.#partition = partition
    this.#options = options
    this.#events = events
    this.#backlog = new Backlog({
      clock: partition.world.clock,
      hasRoom: () => !partition.commits.isFull,
      onOver: (heldUpMs) => this.extendLeases(Math.floor(heldUpMs)),
    })
    this.#bell = new StopBell(partition, this.#conversations)
    this.#claims = new ClaimDesk(partition)
    this.#reads = new ReadDesk(partition, {
      conversations: this.#conversations,
      parkedOn: (queue) => this.#claims.parkedOn(queue),
      heartbeatMs: options.heartbeatMs,
      version: options.version,
    })
    const { version, storeId = NO_STORE_ID } = options
    this.#backups = new BackupDesk(partition, { version, storeId })
  }

  get reads(): ReadDesk {
    return this.#reads
  }

  get parkedClaims(): number {
    return this.#claims.parkedCount
  }

  /**
   * Begins a conversation with somebody who has been authenticated.
   * @throws {TqError} `FORBIDDEN` if the session belongs to another principal.
   */
  open(sink: Sink, speaker: Speaker): Conversation {
    this.#checkSession(speaker)
    const conversation = new Conversation(sink, speaker, this.#events.onAnswer)
    this.#conversations.add(conversation)
    const before = this.#newest.get(conversation.sessionKey)
    if (before !== undefined) before.isSuperseded = true
    this.#newest.set(conversation.sessionKey, conversation)
    return conversation
  }

  /** Who knows the id of a session is not yet who may speak for it. */
  #checkSession({ principal, session }: Speaker): void {
    const key = sessionKey(session)
    const owner =
      this.#partition.state.sessionsByKey.get(key)?.principal ?? this.#newest.get(key)?.principal
    if (owner === undefined || owner === principal) return
    throw new TqError('FORBIDDEN', 'this session belongs to another principal')
  }

  /** The connection is gone: its parked claims and waits go before anything else happens. */
  close(conversation: Conversation): void {
    conversation.isOpen = false
    this.#conversations.delete(conversation)
    const { sessionKey } = conversation
    if (this.#newest.get(sessionKey) === conversation) this.#newest.delete(sessionKey)
    this.#claims.leave(conversation)
    this.#reads.leave(conversation)
    this.#backups.leave(conversation)
    conversation.dropWaiting()
  }

  /** Nothing is carried out any more; parked claims are answered empty. */
  stop(): void {
    this.#isStopped = true
    this.#claims.close()
    this.#reads.close()
    this.#backups.close()
  }

  /** The partition has failed: nothing more may be said to anybody. */
  silence(): void {
    this.#isStopped = true
    for (const conversation of this.#conversations) conversation.isOpen = false
  }

  /**
   * Takes a request. Its answer leaves when all that it shows is durable.
   * @param bytes What it took on the wire.
   */
  receive(conversation: Conversation, id: number, request: Request, bytes = 0): void {
    if (!conversation.begin(id, request.verb, bytes)) {
      conversation.refuseUncounted(id, 'BAD_REQUEST', `request id ${id} is still outstanding`)
      return
    }
    if (this.#partition.commits.isFull) {
      const run = (): void => {
        if (conversation.isOpen) this.#carryOut(conversation, id, request)
        else conversation.drop(id)
      }
      this.#backlog.add({ conversation, run })
      return
    }
    this.#carryOut(conversation, id, request)
  }

  /** Goes on with requests that found no room. */
  drainBacklog(): void {
    this.#backlog.drain()
  }

  /** Requests wait for room: what time brings waits as well, for heartbeats may be among them. */
  get isHeldUp(): boolean {
    return this.#backlog.isHeldUp
  }

  /** Hears every fact: what wakes waiting requests and workers. */
  heard(fact: Fact, task: Row): void {
    if (fact.kind === 'session-opened' || fact.kind === 'session-closed') {
      this.#claims.sessionChanged(fact.id)
    }
    if (task === NO_ROW) return
    if (fact.kind === 'task-ended' || fact.kind === 'task-purged') this.#reads.taskEnded(task)
    this.#bell.heard(fact)
  }

  /** One bounded step of what time brings. Tells if there is more to do at once. */
  expire(): boolean {
    if (this.#backlog.isHeldUp) return false
    const decision = this.#partition.step<'expire'>({ kind: 'expire' }, BROKER)
    this.#claims.serveWoken()
    return !(decision instanceof Refusal) && decision.more
  }

  /** The broker stood still for so long: no worker shall pay for that. */
  extendLeases(byMs: number): void {
    this.#partition.step<'extend-leases'>({ kind: 'extend-leases', byMs }, BROKER)
  }

  /** Makes the tick clock durable when nothing else has for a while. */
  tick(): void {
    this.#partition.step<'tick'>({ kind: 'tick' }, BROKER)
  }

  #carryOut(conversation: Conversation, id: number, request: Request): void {
    if (this.#isStopped) {
      conversation.refuse(id, 'UNAVAILABLE', 'the broker is stopping', { retryAfterMs: 1_000 })
      return
    }
    try {
      this.#dispatch(conversation, id, request)
    } catch (error) {
      if (!(error instanceof TqError)) throw error
      conversation.refuse(id, error.code, error.message, error.details)
    }
    this.#claims.serveWoken()
  }

  #dispatch(conversation: Conversation, id: number, request: Request): void {
    const speaker = { id: conversation.session, principal: conversation.principal }
    switch (request.verb) {
      case 'hello':
        throw new TqError('BAD_REQUEST', 'hello comes once, as the first request of a connection')
      case 'ping':
        conversation.reply(id, { wallMs: this.#partition.now().wallMs }, 0)
        return
      case 'abort':
        this.#abort(conversation, id, request.id)
        return
      case 'enqueue':
        this.#enqueue(conversation, id, request)
        return
      case 'claim':
        this.#claims.claim(conversation, id, request)
        return
      case 'heartbeat':
        this.#heartbeat(conversation, id, request)
        return
      case 'start':
      case 'complete':
      case 'fail':
      case 'release':
        this.#overEnded(conversation, id, {
          ids: request.tasks.map((task) => task.id),
          command: (ended) => ({ kind: request.verb, request, ended }) as Command,
        })
        return
      case 'cancel':
      case 'redrive':
      case 'set-priority':
        this.#overEnded(conversation, id, {
          ids: request.ids,
          command: (ended) => ({ kind: request.verb, request, ended }) as Command,
        })
        return
      case 'progress':
        this.#run(conversation, id, { kind: 'progress', request })
        return
      case 'register':
        this.#run(conversation, id, { kind: 'register', request, session: speaker })
        return
      case 'leave':
        this.#run(conversation, id, { kind: 'leave', session: speaker })
        return
      case 'queue-set':
      case 'queue-pause':
      case 'queue-resume':
      case 'queue-purge':
        this.#run(conversation, id, { kind: request.verb, request } as Command)
        return
      case 'get':
      case 'wait':
      case 'list':
      case 'stats':
      case 'workers':
      case 'startup-log':
        this.#reads.read(conversation, id, request)
        return
      case 'backup':
        this.#backups.answer(conversation, id, request)
        return
      default:
        unreachable(request)
    }
  }

  /** Decides and applies a command; the answer waits for the commit. */
  #run(conversation: Conversation, id: number, command: Command): void {
    const decision = this.#partition.step(command, conversation.principal)
    this.#answer(conversation, id, decision)
  }

  #answer(conversation: Conversation, id: number, decision: unknown): void {
    // A refusal tells of state as well: it waits like any other answer.
    this.#partition.commits.whenDurable((lsn) => {
      if (decision instanceof Refusal) {
        conversation.refuse(id, decision.code, decision.message, decision.details)
      } else {
        conversation.reply(id, decision, lsn)
      }
    })
  }

  #enqueue(conversation: Conversation, id: number, asked: RequestOf<'enqueue'>): void {
    const refusal = admit(this.#partition, this.#options.admission)
    if (refusal !== undefined) {
      this.#answer(conversation, id, refusal)
      return
    }
    const { request, areIdsOurs } = this.#withIds(asked)
    const hashes = hashesOf(request)
    const decide = (findings: EnqueueFindings | undefined): void => {
      const command: Command = { kind: 'enqueue', request, hashes, findings }
      const decision = this.#partition.step<'enqueue'>(command, conversation.principal)
      const needsIds = areIdsOurs && !(decision instanceof Refusal) && decision.ids === undefined
      const ids = needsIds ? { ids: request.tasks.map((task) => task.id) } : {}
      this.#answer(
        conversation,
        id,
        decision instanceof Refusal ? decision : { ...decision, ...ids },
      )
    }
    // Over an older connection the first sending of an id may arrive after a later one.
    const isFresh = asked.fresh && !conversation.isSuperseded
    const fetching = fetchFindings(this.#partition, { ...asked, fresh: isFresh })
    if (fetching === undefined) decide(undefined)
    else this.#afterFetch(conversation, id, { fetching, decide })
  }

  /** Gives an id to each task that came without one. */
  #withIds(asked: RequestOf<'enqueue'>): {
    readonly request: RequestOf<'enqueue'>
    readonly areIdsOurs: boolean
  } {
    if (asked.tasks.every((task) => task.id !== undefined)) {
      return { request: asked, areIdsOurs: false }
    }
    const slot = slotOfQueue(asked.queue)
    const tasks: TaskSpec[] = asked.tasks.map((task) =>
      task.id === undefined ? { ...task, id: this.#partition.ids.make(slot) } : task,
    )
    return { request: { ...asked, tasks }, areIdsOurs: true }
  }

  #heartbeat(conversation: Conversation, id: number, request: RequestOf<'heartbeat'>): void {
    const session = { id: conversation.session, principal: conversation.principal }
    const command: Command = { kind: 'heartbeat', request, session }
    const decision = this.#partition.step<'heartbeat'>(command, conversation.principal)
    if (decision instanceof Refusal) {
      this.#answer(conversation, id, decision)
      return
    }
    const { stop, released } = decision
    const isQuiet = stop.length === 0 && released === 0
    // A plain renewal shows nothing that a crash could undo, so it does not wait for the disk.
    if (isQuiet) conversation.reply(id, {}, 0)
    else this.#answer(conversation, id, { stop, released })
  }

  /** A verb over tasks that may have ended: those that are not in memory are fetched first. */
  #overEnded(
    conversation: Conversation,
    id: number,
    over: {
      readonly ids: readonly TaskIdBytes[]
      readonly command: (ended: EndedTasks) => Command
    },
  ): void {
    const decide = (ended: EndedTasks): void => {
      const kept = [...ended].filter(([hex]) => !this.#partition.isForgotten(hex))
      this.#run(conversation, id, over.command(new Map(kept)))
    }
    const fetching = fetchEnded(this.#partition, over.ids)
    if (fetching === undefined) decide(NOTHING_ENDED)
    else this.#afterFetch(conversation, id, { fetching, decide })
  }

  #afterFetch<T>(
    conversation: Conversation,
    id: number,
    fetched: { readonly fetching: Promise<T>; readonly decide: (value: T) => void },
  ): void {
    const ticket = this.#partition.fetches.begin()
    const run = (value: T): void => {
      if (!this.#isStopped) fetched.decide(value)
      else conversation.refuse(id, 'UNAVAILABLE', 'the broker is stopping')
      this.#partition.fetches.end(ticket)
      this.#claims.serveWoken()
    }
    void fetched.fetching.then(
      (value) => {
        // Many reads may end in one turn: what they change needs room like anything else.
        if (this.#partition.commits.isFull) {
          this.#backlog.add({ conversation, run: () => run(value) })
        } else {
          run(value)
        }
      },
      () => {
        this.#partition.fetches.end(ticket)
        conversation.refuse(id, 'UNAVAILABLE', 'the store could not be read', {
          retryAfterMs: 1_000,
        })
      },
    )
  }

  #abort(conversation: Conversation, id: number, target: number): void {
    const aborted =
      this.#claims.abort(conversation, target) || this.#reads.abort(conversation, target)
    conversation.reply(id, { aborted }, 0)
  }
}

/** Who acts when nobody asked: time. */
const BROKER = 'broker'
const NOTHING_ENDED: EndedTasks = new Map()
