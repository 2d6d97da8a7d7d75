// Frames that have come over one connection and wait for their turn.

import { FRAME_HEADER_BYTES, FrameDecoder, limits } from '@tq/core'

export class Inbox {
  readonly #decoder = new FrameDecoder(limits.FRAME_BYTES_MAX_BEFORE_HELLO)
  /** Complete frame bodies; those before `#at` have been taken. */
  #bodies: Uint8Array[] = []
  #at = 0
  #bytes = 0

  /** Largest body from now on; before hello it is small. */
  set frameBytesMax(bytes: number) {
    this.#decoder.bytesMax = bytes
  }

  get isEmpty(): boolean {
    return this.#at === this.#bodies.length
  }

  /** True if a frame has begun that is not complete. */
  get isAmidFrame(): boolean {
    return this.#decoder.pendingBytes > 0
  }

  /** Bytes of the bodies that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes of the body that is not complete; 0 if there is none, or its header has not come. */
  get comingBytes(): number {
    return Math.max(0, this.#decoder.expectedBytes - FRAME_HEADER_BYTES)
  }

  /** So many of them have come. */
  get arrivedBytes(): number {
    return Math.max(0, this.#decoder.pendingBytes - FRAME_HEADER_BYTES)
  }

  /**
   * Takes bytes as they came. True if they completed a frame.
   * @throws {TqError} if there is no telling where the next frame begins.
   */
  push(chunk: Uint8Array): boolean {
    const bodies = this.#decoder.push(chunk)
    for (const body of bodies) this.#bytes += body.length
    if (this.isEmpty) {
      this.#bodies = bodies
      this.#at = 0
    } else {
      for (const body of bodies) this.#bodies.push(body)
    }
    return bodies.length > 0
  }

  /** The oldest body; undefined if there is none. */
  next(): Uint8Array | undefined {
    const body = this.#bodies[this.#at]
    if (body !== undefined) {
      this.#at += 1
      this.#bytes -= body.length
    }
    if (this.isEmpty) this.clear()
    return body
  }

  clear(): void {
    this.#bytes = 0
    this.#bodies = []
    this.#at = 0
  }
}
