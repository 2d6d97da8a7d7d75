// Framing: a 4-byte big-endian length, then that many bytes of body. Splits a stream into bodies.

import { TqError } from '../error.ts'

export const FRAME_HEADER_BYTES: number = 4

/** A frame that comes in pieces gets room for so many bytes, or for all of it if it has fewer. */
const ROOM_BYTES_MIN = 64 * 1024
/** Beyond that, so many times what has come of it: a declared length alone allocates nothing. */
const ROOM_PER_BYTE = 4

const NOTHING = new Uint8Array(0)

/**
 * Splits the bytes of one connection into frame bodies. A length is checked as soon as it is there,
 * and what is kept of an incomplete frame grows with the bytes that came.
 */
export class FrameDecoder {
  #bytesMax: number
  /** The incomplete frame with its header; the first `#pendingBytes` bytes are filled. */
  #pending: Uint8Array = NOTHING
  #pendingBytes = 0
  /** Bytes of the incomplete frame in all; 0 while its header is not complete. */
  #expectedBytes = 0

  /** @param bytesMax Largest body that is accepted, in bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Changes the largest body from the next header on: more is allowed after `hello`. */
  set bytesMax(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that have come of a frame that is not complete, its header included. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Bytes of the frame that is not complete, its header included; 0 until its header has come. */
  get expectedBytes(): number {
    return this.#expectedBytes
  }

  /**
   * Takes the next bytes of the stream and gives the bodies that they complete. A body that came in
   * one piece is a view of the chunk: it is valid as long as the caller holds it, and keeps the
   * chunk alive as long. After a refusal the stream has lost its place and must be closed.
   * @throws {TqError} `TOO_LARGE` for a body over the maximum, `BAD_REQUEST` for an empty one.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const bodies: Uint8Array[] = []
    let at = this.#pendingBytes === 0 ? 0 : this.#finishPending(chunk, bodies)
    while (chunk.length - at >= FRAME_HEADER_BYTES) {
      const frameBytes = this.#frameBytesAt(chunk, at)
      if (at + frameBytes > chunk.length) {
        this.#expectedBytes = frameBytes
        break
      }
      bodies.push(chunk.subarray(at + FRAME_HEADER_BYTES, at + frameBytes))
      at += frameBytes
    }
    if (at < chunk.length) this.#keep(chunk.subarray(at))
    return bodies
  }

  /** Completes the pending frame if the chunk has its rest; gives where the next one begins. */
  #finishPending(chunk: Uint8Array, bodies: Uint8Array[]): number {
    let at = 0
    if (this.#expectedBytes === 0) {
      at = Math.min(FRAME_HEADER_BYTES - this.#pendingBytes, chunk.length)
      this.#keep(chunk.subarray(0, at))
      if (this.#pendingBytes < FRAME_HEADER_BYTES) return at
      this.#expectedBytes = this.#frameBytesAt(this.#pending, 0)
    }
    const end = Math.min(at + this.#expectedBytes - this.#pendingBytes, chunk.length)
    this.#keep(chunk.subarray(at, end))
    if (this.#pendingBytes === this.#expectedBytes) {
      bodies.push(this.#pending.subarray(FRAME_HEADER_BYTES, this.#expectedBytes))
      this.#pending = NOTHING
      this.#pendingBytes = 0
      this.#expectedBytes = 0
    }
    return end
  }

  #keep(bytes: Uint8Array): void {
    const filledBytes = this.#pendingBytes + bytes.length
    if (filledBytes > this.#pending.length) this.#makeRoom(filledBytes)
    this.#pending.set(bytes, this.#pendingBytes)
    this.#pendingBytes = filledBytes
  }

  #makeRoom(filledBytes: number): void {
    const roomBytes = Math.max(ROOM_BYTES_MIN, filledBytes * ROOM_PER_BYTE)
    const expectedBytes = this.#expectedBytes === 0 ? FRAME_HEADER_BYTES : this.#expectedBytes
    const room = Buffer.allocUnsafeSlow(Math.min(roomBytes, expectedBytes))
    room.set(this.#pending.subarray(0, this.#pendingBytes))
    this.#pending = room
  }

  /** Bytes of the frame whose header stands at `at`, the header included. */
  #frameBytesAt(bytes: Uint8Array, at: number): number {
    const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
    const bodyBytes = (bytes[at] as number) * 0x1000000 + (((bytes[at + 1] as number) << 16) | low)
    if (bodyBytes === 0) throw new TqError('BAD_REQUEST', 'a frame must not be empty, got 0 bytes')
    if (bodyBytes <= this.#bytesMax) return FRAME_HEADER_BYTES + bodyBytes
    throw new TqError(
      'TOO_LARGE',
      `a frame may have ${this.#bytesMax} bytes here, its header says ${bodyBytes}`,
      { limit: this.#bytesMax, bytes: bodyBytes },
    )
  }
}
