// One direction of a connection: bytes in order, late, in other pieces than they were sent, or never.

import type { Scheduler } from '@tq/core'
import type { SeededRandom } from './seeded-random.ts'
import type { Swarm } from './swarm.ts'
import type { World } from './world.ts'

export interface PipeParts {
  readonly world: World
  /** Of the process at its end. */
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly network: Swarm['network']
  readonly onBytes: (bytes: Uint8Array) => void
  /** Nothing follows: the other side has said so, or is gone. */
  readonly onEnd: (how: 'end' | 'reset') => void
  /** There is room again. */
  readonly onRoom: () => void
}

interface Piece {
  readonly what: Uint8Array | 'end' | 'reset'
  /** It arrives together with the one before it. */
  readonly isGlued: boolean
}

export class BytePipe {
  readonly #parts: PipeParts
  #pieces: Piece[] = []
  #room: number
  /** The sender has more than there was room for. */
  #isFull = false
  #lastAtMs = 0
  /** Arrivals of another plan than this one do not happen. */
  #plan = 0
  #state: 'whole' | 'blackholed' | 'closed' = 'whole'

  constructor(parts: PipeParts) {
    this.#parts = parts
    this.#room = parts.network.windowBytes
  }

  /** Bytes that it takes now. */
  get room(): number {
    return this.#room
  }

  /** Takes bytes, no more than there is room for, and keeps a copy. */
  push(bytes: Uint8Array): void {
    this.#room -= bytes.length
    if (this.#room <= 0) this.#isFull = true
    if (this.#state !== 'whole') return
    const copy = new Uint8Array(bytes)
    const { random, network } = this.#parts
    if (!random.happens(network.splitChance)) return this.#send(copy)
    for (const piece of split(copy, random)) this.#send(piece)
  }

  /** What the receiver has read makes room. */
  read(count: number): void {
    this.#room += count
    if (!this.#isFull) return
    this.#isFull = false
    const { world, random, network } = this.#parts
    world.after(random.chance() * network.latencyMsMax, () => this.#parts.onRoom())
  }

  /** After what is under way, the receiver hears that nothing follows. */
  finish(how: 'end' | 'reset', afterMs = 0): void {
    if (this.#state === 'closed' || this.#state === 'blackholed') return
    this.#state = 'closed'
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#parts.world.nowMs + afterMs)
    this.#send(how)
  }

  /** What is under way is lost. */
  lose(): void {
    this.#pieces = []
    this.#plan += 1
  }

  /** What is under way comes so much later. */
  delay(byMs: number): void {
    const held = this.#pieces
    this.lose()
    this.#lastAtMs = this.#parts.world.nowMs + byMs
    for (const { what } of held) this.#send(what)
  }

  /** From now on bytes are taken and never arrive, and nobody is told. */
  blackhole(): void {
    if (this.#state === 'whole') this.#state = 'blackholed'
    this.lose()
  }

  #send(what: Piece['what']): void {
    const { world, scheduler, random, network } = this.#parts
    const isGlued =
      this.#pieces.length > 0 && typeof what !== 'string' && random.happens(network.joinChance)
    this.#pieces.push({ what, isGlued })
    if (isGlued) return
    const { latencyMsMax, delayChance, delayMsMax } = network
    const delayMs = random.happens(delayChance) ? random.chance() * delayMsMax : 0
    const atMs = world.nowMs + delayMs + random.chance() * latencyMsMax
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs)
    const plan = this.#plan
    scheduler.after(this.#lastAtMs - world.nowMs, () => {
      if (plan === this.#plan) this.#arrive()
    })
  }

  #arrive(): void {
    const { onBytes, onEnd } = this.#parts
    const first = this.#pieces.shift()
    if (first === undefined) return
    if (typeof first.what === 'string') return onEnd(first.what)
    const chunks = [first.what]
    while (this.#pieces[0]?.isGlued === true) {
      const { what } = this.#pieces.shift() as Piece
      if (typeof what !== 'string') chunks.push(what)
    }
    onBytes(chunks.length === 1 ? first.what : new Uint8Array(Buffer.concat(chunks)))
  }
}

/** Into single bytes, into two anywhere, or into a few. */
function split(bytes: Uint8Array, random: SeededRandom): Uint8Array[] {
  const sizeMax = random.pick([1, 3, bytes.length])
  const pieces: Uint8Array[] = []
  let at = 0
  // A long frame is cut at its beginning only: a thousand events would tell nothing more.
  while (at < bytes.length && pieces.length < 12) {
    const size = random.between(1, Math.min(sizeMax, bytes.length - at))
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at))
  return pieces
}
