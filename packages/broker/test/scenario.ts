// Runs a story against the engine: command lines in, the same lines with what came of them out.

import type { HeldTask, Labels, TaskDescription, TaskIdBytes } from '@tq/core'
import { Refusal } from '../src/engine/decision.ts'
import { describeEnded } from '../src/engine/describe.ts'
import { hexOf } from '../src/engine/held.ts'
import { anEngine, type EngineRig, START_TICK_MS, START_WALL_MS } from './engine-builder.ts'
import { aTask, aTaskId } from './task-builder.ts'

/**
 * A story is a text of lines. `#` begins a remark. A command begins with `at MS`, the time since the
 * story's beginning on both clocks; below it, indented, stand what was answered and each task that
 * changed. Run again, a story gives its own text, unless the engine has changed.
 */
export function runStory(text: string): string {
  const story = new Story()
  const lines: string[] = []
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('  ')) continue // what came of the command when the story was written
    lines.push(line)
    if (line === '' || line.startsWith('#')) continue
    lines.push(...story.tell(line).map((told) => `  ${told}`))
  }
  return `${lines.join('\n')}\n`
}

/** The words of a command: those that stand alone, and those of the form `name=value`. */
interface Words {
  readonly plain: readonly string[]
  readonly named: ReadonlyMap<string, string>
}

type Verb = (words: Words) => readonly string[]

class Story {
  readonly #rig: EngineRig = anEngine({
    workerDeadMs: 15_000,
    sessionIdleMs: 600_000,
    queueDefaults: { retry: { ...NO_JITTER } },
  })
  readonly #ids = new Map<string, TaskIdBytes>()
  readonly #told = new Map<string, string>()
  #wallOffsetMs = 0

  /** Carries out a command line. Gives the answer, then the line of each task that changed. */
  tell(line: string): readonly string[] {
    const match = /^at (\d+) (\S+)(.*)$/.exec(line)
    const verb = this.#verbs[match?.[2] ?? '']
    if (match === null || verb === undefined) throw new Error(`not a command: ${line}`)
    const nowMs = Number(match[1])
    this.#rig.tickMs = START_TICK_MS + nowMs
    this.#rig.wallMs = START_WALL_MS + nowMs + this.#wallOffsetMs
    const answer = verb(wordsOf(match[3] ?? ''))
    return [...answer, ...this.#changes()]
  }

  readonly #verbs: Readonly<Record<string, Verb>> = {
    enqueue: ({ plain: [queue = '', ...names], named }) => {
      const tasks = names.map((name) => aTask({ id: this.#idFor(queue, name), ...wishOf(named) }))
      return this.#answer(this.#rig.enqueue(queue, tasks), ({ existing = [], ids }) => [
        'ok',
        ...existing.map(
          (index) => `${names[index]} is ${this.#nameOf(ids?.[index] ?? tasks[index]?.id)}`,
        ),
      ])
    },
    register: ({ plain: [worker = ''], named }) =>
      this.#answer(this.#rig.register(worker, { labels: labelsOf(named) }), () => ['ok']),
    leave: ({ plain: [worker = ''] }) =>
      this.#answer(this.#rig.leave(worker), ({ released }) => [`released ${released}`]),
    claim: ({ plain: [session = '', queues = ''], named }) => {
      const reply = this.#rig.claim({
        session,
        queues: queues.split(','),
        ...numbersOf(named, { max: 'max', lease: 'leaseMs', number: 'claim', min: 'minPriority' }),
        start: named.get('start') !== 'no',
        order: named.get('order') === 'strict' ? 'strict' : 'round',
        ...(named.has('weights') ? { weights: weightsOf(named.get('weights') ?? '') } : {}),
      })
      return this.#answer(reply, ({ claimed }) =>
        claimed.length === 0
          ? ['nothing']
          : claimed.map(
              ({ id, token, attempt }) => `${this.#nameOf(id)}:${token} attempt ${attempt}`,
            ),
      )
    },
    start: ({ plain }) => this.#items(plain, this.#rig.start(this.#held(plain))),
    complete: ({ plain }) => this.#items(plain, this.#rig.complete(this.#held(plain))),
    release: ({ plain }) => this.#items(plain, this.#rig.release(this.#held(plain))),
    quarantine: ({ plain }) => this.#items(plain, this.#rig.quarantine(this.#held(plain))),
    fail: ({ plain, named }) => {
      const how = {
        retryable: named.get('retry') !== 'no',
        ...numbersOf(named, { after: 'retryAfterMs' }),
      }
      return this.#items(
        plain,
        this.#rig.fail(this.#held(plain).map((held) => ({ ...held, ...how }))),
      )
    },
    heartbeat: ({ plain: [session = '', ...held], named }) => {
      const received = Number(named.get('received') ?? 0)
      const reply = this.#rig.heartbeat(this.#held(held), { session, received })
      return this.#answer(reply, ({ stop, released }) => [
        ...stop.map(([id, token, reason]) => `stop ${this.#nameOf(id)}:${token} ${reason}`),
        released > 0 ? `released ${released}` : 'ok',
      ])
    },
    cancel: ({ plain }) =>
      this.#items(plain, this.#rig.cancel(this.#named(plain), 'no longer wanted')),
    redrive: ({ plain }) => this.#items(plain, this.#rig.redrive(this.#named(plain))),
    prioritise: ({ plain: [name = '', priority] }) =>
      this.#items([name], this.#rig.setPriority(this.#named([name]), Number(priority))),
    pause: ({ plain: [queue = ''] }) => this.#answer(this.#rig.pause(queue), changedOr),
    resume: ({ plain: [queue = ''] }) => this.#answer(this.#rig.resume(queue), changedOr),
    set: ({ plain: [queue = ''], named }) => {
      const order = named.get('order') === 'strict' ? { order: 'strict' as const } : {}
      const numbers = numbersOf(named, { aging: 'agingMsPerLevel', tasks: 'tasksMax' })
      return this.#answer(this.#rig.setQueue(queue, { ...order, ...numbers }), () => ['ok'])
    },
    purge: ({ plain: [queue = ''] }) =>
      this.#answer(this.#rig.purge(queue), ({ purged }) => [`purged ${purged}`]),
    expire: () => {
      this.#rig.expire()
      const told = this.#rig.facts.flatMap((fact) => {
        if (fact.kind === 'worker-lost') return [`${this.#sessionAt(fact.session)} is dead`]
        if (fact.kind !== 'session-closed') return []
        return [`${nameOfSession(fact.id)} is forgotten (${fact.reason})`]
      })
      return this.#rig.facts.length === 0 ? ['nothing'] : told.length === 0 ? ['ok'] : told
    },
    stall: ({ plain: [ms] }) => {
      this.#rig.extendLeases(Number(ms))
      return ['ok']
    },
    /** The wall clock alone steps; it keeps the distance from then on. */
    'step-wall': ({ plain: [ms] }) => {
      this.#wallOffsetMs += Number(ms)
      return ['ok']
    },
    commit: () => {
      this.#rig.commit()
      return ['ok']
    },
  }

  #answer<D>(decision: D | Refusal, tell: (decision: D) => readonly string[]): readonly string[] {
    return decision instanceof Refusal ? [`refused: ${decision.code}`] : tell(decision)
  }

  #items(
    names: readonly string[],
    reply: {
      readonly already?: readonly number[]
      readonly refused?: readonly (readonly [number, string, string])[]
    },
  ): readonly string[] {
    const already = (reply.already ?? []).map((index) => `${names[index]} already`)
    const refused = (reply.refused ?? []).map(([index, code]) => `${names[index]} refused: ${code}`)
    return already.length + refused.length === 0 ? ['ok'] : [...already, ...refused]
  }

  #idFor(queue: string, name: string): TaskIdBytes {
    const id = this.#ids.get(name) ?? aTaskId(queue, this.#ids.size + 1)
    this.#ids.set(name, id)
    return id
  }

  #named(names: readonly string[]): TaskIdBytes[] {
    return names.map((name) => this.#ids.get(name) ?? aTaskId('nowhere', 9_999))
  }

  /** `t1:5` is task t1 under token 5. */
  #held(words: readonly string[]): HeldTask[] {
    return words.map((word) => {
      const [name = '', token] = word.split(':')
      return { id: this.#named([name])[0] as TaskIdBytes, token: Number(token) }
    })
  }

  #nameOf(id: Uint8Array | undefined): string {
    const found = [...this.#ids].find(([, other]) => id !== undefined && hexOf(other) === hexOf(id))
    return found?.[0] ?? 'unknown'
  }

  #sessionAt(index: number): string {
    return nameOfSession(this.#rig.state.sessionAt(index).id)
  }

  /** The line of each task that is not as it was told last. */
  #changes(): string[] {
    const lines: string[] = []
    for (const [name, id] of this.#ids) {
      const standing = this.#standing(id)
      if (standing !== (this.#told.get(name) ?? 'gone')) lines.push(`${name} ${standing}`)
      this.#told.set(name, standing)
    }
    return lines
  }

  #standing(id: TaskIdBytes): string {
    const rig = this.#rig
    const task = this.#describe(id)
    if (task === undefined) return 'gone'
    const parts: string[] = [task.state]
    if (task.dueAtMs !== undefined) parts.push(`until ${task.dueAtMs - START_WALL_MS}`)
    if (task.lease !== undefined) {
      const untilMs = rig.tickMs + task.lease.remainingMs - START_TICK_MS
      parts.push(`until ${untilMs} by ${nameOfSession(task.lease.session)}`)
    }
    if (task.end !== undefined && task.end.reason !== task.state) parts.push(`(${task.end.reason})`)
    if (task.cancelRequested) parts.push('cancel-requested')
    if (task.failures > 0) parts.push(`failures=${task.failures}`)
    if (task.losses > 0) parts.push(`losses=${task.losses}`)
    if (task.generation > 0) parts.push(`generation=${task.generation}`)
    return parts.join(' ')
  }

  #describe(id: TaskIdBytes): TaskDescription | undefined {
    if (this.#rig.state.index.find(id) !== undefined) return this.#rig.task(id)
    const ended = this.#rig.ended.get(hexOf(id))
    return ended === undefined ? undefined : describeEnded(ended)
  }
}

const NO_JITTER = {
  kind: 'exponential',
  baseMs: 1_000,
  factor: 2,
  capMs: 60_000,
  jitter: 0,
  notRetryable: [],
} as const

function wordsOf(text: string): Words {
  const words = text.split(' ').filter((word) => word !== '')
  const named = words.flatMap((word) => {
    const at = word.indexOf('=')
    return at < 0 ? [] : [[word.slice(0, at), word.slice(at + 1)] as const]
  })
  return { plain: words.filter((word) => !word.includes('=')), named: new Map(named) }
}

function wishOf(named: Words['named']): object {
  const requires = named.get('requires')
  return {
    ...numbersOf(named, {
      priority: 'priority',
      delay: 'delayMs',
      ttl: 'ttlMs',
      timeout: 'timeoutMs',
      attempts: 'maxAttempts',
      lost: 'maxLost',
    }),
    ...(named.has('key') ? { idempotencyKey: named.get('key') } : {}),
    ...(named.has('type') ? { type: named.get('type') } : {}),
    ...(requires === undefined ? {} : { requires: { [requires]: true } }),
  }
}

/** The named words that are numbers, under the names that the engine knows. */
function numbersOf<N extends string>(
  named: Words['named'],
  names: Readonly<Record<string, N>>,
): { [K in N]?: number } {
  const found = Object.entries(names).filter(([word]) => named.has(word))
  return Object.fromEntries(found.map(([word, name]) => [name, Number(named.get(word))])) as {
    [K in N]?: number
  }
}

function labelsOf(named: Words['named']): Labels {
  const labels = named.get('labels')?.split(',') ?? []
  return Object.fromEntries(labels.map((label) => [label, true]))
}

/** `a:3,b:1` */
function weightsOf(text: string): Record<string, number> {
  const pairs = text.split(',').map((pair) => pair.split(':'))
  return Object.fromEntries(pairs.map(([name = '', weight]) => [name, Number(weight)]))
}

function changedOr({ changed }: { readonly changed: boolean }): readonly string[] {
  return [changed ? 'ok' : 'already']
}

/** A session's id begins with its name. */
function nameOfSession(id: Uint8Array): string {
  return new TextDecoder().decode(id).replaceAll('\0', '')
}
