// Chance that can be repeated: the same seed gives the same numbers, each actor has its own stream.

import type { Random } from '@tq/core'

export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param label Streams of different labels have nothing to do with each other. */
  constructor(seed: number, label: string) {
    this.#a = seed >>> 0
    this.#b = hashOf(label)
    this.#c = Math.floor(seed / 2 ** 32) >>> 0
    for (let round = 0; round < 12; round += 1) this.#next()
  }

  /** A number in [0, 1). */
  chance(): number {
    return this.#next() / 2 ** 32
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.#next() & 0xff
  }

  happens(probability: number): boolean {
    return this.chance() < probability
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.chance() * (max - min + 1))
  }

  /** Evenly spread over the orders of magnitude: as often from 1 to 10 as from 10 to 100. */
  magnitude(min: number, max: number): number {
    return min * (max / min) ** this.chance()
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.chance() * from.length)] as T
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    this.fill(bytes)
    return bytes
  }

  /** sfc32: small, fast, and good enough to pass the usual batteries. */
  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
