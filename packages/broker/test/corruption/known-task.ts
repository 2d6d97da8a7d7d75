// Tasks whose every byte follows from their number: whoever reads one knows what it must say.

import { createHash } from 'node:crypto'
import {
  slotOfQueue,
  TaskIdMaker,
  type TaskIdBytes,
  type TaskOptions,
  type TaskSpec,
} from '@tq/core'

/** The moment at which the load begins; its clocks stand still, so that two runs are the same. */
export const LOAD_WALL_MS: number = Date.UTC(2026, 10, 20)

export interface KnownTask {
  readonly queue: string
  readonly spec: TaskSpec
}

/** Makes tasks one after the other; a second maker with the same label makes the same ones. */
export class KnownTaskMaker {
  readonly #label: string
  readonly #ids: TaskIdMaker
  #count = 0

  constructor(label: string, wallMs: number) {
    this.#label = label
    this.#ids = new TaskIdMaker({
      wallMs: () => wallMs,
      fillRandom: (bytes) => bytes.set(bytesFrom(`ids of ${label}`, bytes.length)),
    })
  }

  make(queue: string, options?: TaskOptions): KnownTask {
    this.#count += 1
    const id = this.#ids.make(slotOfQueue(queue))
    const type = `${this.#label}-${this.#count % 3}`
    return { queue, spec: { id, type, payload: payloadOf(id), options } }
  }

  makeMany(queue: string, count: number, options?: TaskOptions): KnownTask[] {
    return Array.from({ length: count }, () => this.make(queue, options))
  }
}

/** Random bytes, since those take their full size on disk: 150 to 700 of them. */
export function payloadOf(id: TaskIdBytes): Uint8Array {
  return bytesFrom(`payload of ${hex(id)}`, 150 + (((id[7] as number) * 37) % 550))
}

export function resultOf(id: TaskIdBytes): Uint8Array {
  return bytesFrom(`result of ${hex(id)}`, 80)
}

function bytesFrom(label: string, count: number): Uint8Array {
  return Uint8Array.from(createHash('shake256', { outputLength: count }).update(label).digest())
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
