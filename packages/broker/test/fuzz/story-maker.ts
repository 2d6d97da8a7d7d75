// Makes the next step of a story: a request from what was answered before, right or bent.

import {
  type ClaimedTask,
  encodeRequestFrame,
  FRAME_HEADER_BYTES,
  limits,
  type Request,
  slotOfQueue,
  TASK_STATE_NAMES,
  type TaskIdBytes,
  TaskIdMaker,
} from '@tq/core'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { bendBytes, bentFrame, splice } from './mutation.ts'
import { frameOf, wildOf } from './wild-value.ts'
import { CONNECTIONS, type Step } from './story.ts'
import type { Answer } from './fuzz-client.ts'

const QUEUES = ['mail', 'reports', 'media/video'] as const
const KEYS = ['once', 'twice']
/** Ids, tokens and cursors of earlier answers that are kept to be sent again. */
const KEPT_MAX = 40

interface Held {
  readonly id: TaskIdBytes
  readonly token: number
}

export class StoryMaker {
  readonly #random: SeededRandom
  readonly #ids: TaskIdMaker
  readonly #others: readonly Uint8Array[]
  #known: TaskIdBytes[] = []
  #held: Held[] = []
  #cursors: string[] = ['0-1']
  #lastRequest = 0

  /** @param others Frames of all kinds, to be put together with others. */
  constructor(random: SeededRandom, others: readonly Uint8Array[]) {
    this.#random = random
    this.#others = others
    this.#ids = new TaskIdMaker({
      wallMs: () => Date.UTC(2026, 10, 20),
      fillRandom: (bytes) => random.fill(bytes),
    })
  }

  next(): Step {
    const random = this.#random
    return {
      connection: random.between(0, CONNECTIONS - 1),
      isStranger: random.happens(0.05),
      bytes: this.#bytes(),
    }
  }

  /** Takes from the answers what later requests may name. */
  learn(answers: readonly Answer[]): void {
    for (const answer of answers) {
      if (answer.kind !== 'reply' || typeof answer.result !== 'object') continue
      const { tasks, ids, cursor } = (answer.result ?? {}) as Record<string, unknown>
      if (typeof cursor === 'string') this.#cursors.push(cursor)
      if (Array.isArray(ids)) this.#known.push(...(ids as TaskIdBytes[]))
      if (!Array.isArray(tasks)) continue
      for (const task of tasks as (ClaimedTask | { readonly id: TaskIdBytes })[]) {
        if ('id' in task) continue
        this.#held.push({ id: copyOf(task[0]), token: task[1] })
      }
    }
    this.#known = this.#known.map(copyOf).slice(-KEPT_MAX)
    this.#held = this.#held.slice(-KEPT_MAX)
    this.#cursors = this.#cursors.slice(-KEPT_MAX)
  }

  #bytes(): Uint8Array {
    const random = this.#random
    const frame = this.#frame()
    switch (random.between(0, 9)) {
      case 0:
        return bendBytes(frame, random)
      case 1:
        return Buffer.concat([frame, this.#frame(), this.#bent()])
      case 2:
        return Buffer.concat([this.#bent(), frame])
      case 3:
        return frameOf(splice(bodyOf(frame), bodyOf(random.pick(this.#others)), random))
      case 4:
      case 5:
      case 6:
        return this.#bent()
      default:
        return frame
    }
  }

  #bent(): Buffer {
    return bentFrame(wildOf(bodyOf(this.#frame())), this.#random)
  }

  #frame(): Uint8Array {
    this.#lastRequest += 1
    return Uint8Array.from(encodeRequestFrame(this.#lastRequest, this.#request()))
  }

  #request(): Request {
    const random = this.#random
    const queue = random.pick(QUEUES)
    switch (random.between(0, 19)) {
      case 0:
        return { verb: 'register', name: 'w', version: '1', labels: { gpu: true }, slots: 4 }
      case 1:
        return random.happens(0.3) ? { verb: 'leave' } : { verb: 'ping' }
      case 2:
      case 3:
      case 4:
      case 5:
        return this.#enqueue(queue)
      case 6:
      case 7:
      case 8:
        return this.#claim(queue)
      case 9:
        return {
          verb: 'complete',
          tasks: this.#someHeld().map((one) => ({ ...one, result: undefined })),
        }
      case 10:
        return {
          verb: 'fail',
          tasks: this.#someHeld().map((one) => ({
            ...one,
            error: { message: 'no' },
            retryable: random.happens(0.5),
          })),
        }
      case 11:
        return { verb: random.pick(['start', 'release'] as const), tasks: this.#someHeld() }
      case 12:
        return { verb: 'heartbeat', leases: this.#someHeld(), received: random.between(0, 5) }
      case 13:
        return this.#progress()
      default:
        return this.#operator(queue)
    }
  }

  #operator(queue: string): Request {
    const random = this.#random
    switch (random.between(0, 9)) {
      case 0:
        return { verb: 'cancel', ids: this.#someKnown(), reason: 'no' }
      case 1:
        return { verb: 'redrive', ids: this.#someKnown() }
      case 2:
        return { verb: 'set-priority', ids: this.#someKnown(), priority: random.between(0, 255) }
      case 3:
        return { verb: 'get', id: this.#aKnown(), payload: random.happens(0.5) }
      case 4:
        return { verb: 'wait', id: this.#aKnown(), waitMs: random.pick([0, 0, 1_000]) }
      case 5:
        return {
          verb: 'list',
          limit: random.between(1, 20),
          ...(random.happens(0.5) ? { cursor: random.pick(this.#cursors) } : {}),
          ...(random.happens(0.3) ? { state: random.pick(TASK_STATE_NAMES) } : {}),
        }
      case 6:
        return random.happens(0.5) ? { verb: 'stats', queue } : { verb: 'workers' }
      case 7:
        return random.happens(0.5)
          ? { verb: 'queue-pause', queue, reason: 'a moment' }
          : { verb: 'queue-resume', queue }
      case 8:
        return {
          verb: 'queue-set',
          queue,
          settings: { tasksMax: random.between(1, 60), order: random.pick(['aging', 'strict']) },
        }
      default:
        return random.happens(0.3)
          ? { verb: 'queue-purge', queue, cursor: random.pick(this.#cursors) }
          : { verb: 'abort', id: random.between(1, this.#lastRequest) }
    }
  }

  #enqueue(queue: string): Request {
    const random = this.#random
    const tasks = Array.from({ length: random.between(1, 4) }, () => {
      const id = random.happens(0.8) ? this.#ids.make(slotOfQueue(queue)) : this.#aKnown()
      this.#known.push(id)
      const isKeyed = random.happens(0.3)
      return {
        id: random.happens(0.8) ? id : undefined,
        type: random.pick(['send', 'constructor', '*']),
        payload: random.bytes(random.between(0, 40)),
        options: {
          priority: random.between(0, 255),
          ...(random.happens(0.2) ? { delayMs: 60_000 } : {}),
          ...(random.happens(0.2) ? { requires: { gpu: true } } : {}),
          ...(isKeyed ? { idempotencyKey: random.pick(KEYS) } : {}),
        },
      }
    })
    return { verb: 'enqueue', queue, tasks, fresh: random.happens(0.5) }
  }

  #claim(queue: string): Request {
    const random = this.#random
    return {
      verb: 'claim',
      queues: random.happens(0.7) ? [queue] : [...QUEUES],
      max: random.between(1, 5),
      waitMs: random.pick([0, 0, 0, 5_000]),
      start: random.happens(0.7),
      claim: random.between(1, 200),
      order: random.pick(['round', 'strict'] as const),
    }
  }

  #progress(): Request {
    const tasks = this.#someHeld().map((one) => ({ ...one, percent: 50, note: 'half' }))
    return { verb: 'progress', tasks }
  }

  #someHeld(): Held[] {
    const random = this.#random
    return Array.from({ length: random.between(1, 3) }, () => {
      if (this.#held.length === 0 || random.happens(0.1)) {
        return { id: this.#aKnown(), token: random.between(1, limits.TOKENS_PER_EPOCH) }
      }
      const held = random.pick(this.#held)
      return random.happens(0.85) ? held : { ...held, token: held.token + random.between(1, 3) }
    })
  }

  #someKnown(): TaskIdBytes[] {
    return Array.from({ length: this.#random.between(1, 3) }, () => this.#aKnown())
  }

  #aKnown(): TaskIdBytes {
    const random = this.#random
    const isKnown = this.#known.length > 0 && random.happens(0.9)
    return isKnown ? random.pick(this.#known) : this.#ids.make(slotOfQueue(random.pick(QUEUES)))
  }
}

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(FRAME_HEADER_BYTES)
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes)
}
