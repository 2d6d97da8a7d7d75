// What one socket is to send: the frames of a turn in one write, copied only where that saves.

import type { ByteStream } from './byte-stream.ts'

/** Most bytes of one write, unless a single frame has more: a slow reader is seen to get on. */
const WRITE_BYTES_MAX = 1024 * 1024
/** Pieces with no more than this in all are joined: a copy costs less than a vector of buffers. */
const JOIN_BYTES_MAX = 64 * 1024
/** Room that small frames share while they wait, those of up to a quarter of it. */
const WAITING_ROOM_BYTES = 16 * 1024
/** So many bytes of memory a waiting frame may keep for each of its own. */
const MEMORY_PER_BYTE_MAX = 4
const NO_ROOM = Buffer.alloc(0)

/** Bytes that lie next to each other in memory: frames that were encoded one after the other. */
interface Run {
  readonly memory: ArrayBufferLike
  readonly start: number
  end: number
}

export class Outbox {
  readonly #socket: ByteStream
  readonly #monotonicMs: () => number
  readonly #onTaken: () => void
  #runs: Run[] = []
  #queuedBytes = 0
  /** The socket has not taken all of the last write. */
  #isWriting = false
  #isEnding = false
  #stalledSinceMs: number | undefined
  /** Where frames that wait are copied to, and how much of it is used. */
  #room = NO_ROOM
  #roomAt = 0

  /** @param onTaken The socket has taken what it had left waiting before. */
  constructor(socket: ByteStream, monotonicMs: () => number, onTaken: () => void) {
    this.#socket = socket
    this.#monotonicMs = monotonicMs
    this.#onTaken = onTaken
  }

  /** Bytes that the system has not taken yet. */
  get bytes(): number {
    return this.#queuedBytes + this.#socket.writableLength
  }

  /** Since when the socket has taken nothing, though there is something; undefined if it flows. */
  get stalledSinceMs(): number | undefined {
    return this.#stalledSinceMs
  }

  /** Queues a frame whose bytes nobody changes any more. */
  add(frame: Uint8Array): void {
    this.#queuedBytes += frame.length
    const piece = this.#isWriting ? this.#copied(frame) : frame
    const last = this.#runs.at(-1)
    if (last?.memory === piece.buffer && last.end === piece.byteOffset) {
      last.end += piece.length
      return
    }
    const start = piece.byteOffset
    this.#runs.push({ memory: piece.buffer, start, end: start + piece.length })
  }

  /** Writes what is queued, as far as the socket takes it. */
  flush(): void {
    if (this.#socket.destroyed) return
    while (!this.#isWriting && this.#runs.length > 0) this.#write(this.#take())
    if (this.#isEnding && !this.#isWriting && !this.#socket.writableEnded) this.#socket.end()
  }

  /** Writes what is queued, and then that nothing follows. */
  end(): void {
    this.#isEnding = true
    this.flush()
  }

  /** The queue's first pieces: one at least, and no more than a write should have. */
  #take(): Buffer[] {
    const pieces: Buffer[] = []
    let bytes = 0
    for (const { memory, start, end } of this.#runs) {
      const length = end - start
      if (pieces.length > 0 && bytes + length > WRITE_BYTES_MAX) break
      pieces.push(Buffer.from(memory, start, length))
      bytes += length
    }
    this.#runs = pieces.length === this.#runs.length ? [] : this.#runs.slice(pieces.length)
    this.#queuedBytes -= bytes
    return pieces
  }

  #write(pieces: readonly Buffer[]): void {
    const socket = this.#socket
    this.#isWriting = true
    const [first] = pieces
    if (first !== undefined && pieces.length === 1) {
      socket.write(first, this.#onWrite)
    } else {
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
      if (bytes <= JOIN_BYTES_MAX) {
        socket.write(Buffer.concat(pieces, bytes), this.#onWrite)
      } else {
        socket.cork()
        for (const piece of pieces) socket.write(piece, this.#onWrite)
        socket.uncork()
      }
    }
    // What the system took at once needs no waiting for the callback.
    if (socket.writableLength === 0) this.#isWriting = false
    else this.#stalledSinceMs = this.#monotonicMs()
  }

  readonly #onWrite = (): void => {
    // Of a write that was taken at once, or of one that is not complete yet.
    if (!this.#isWriting || this.#socket.writableLength > 0 || this.#socket.destroyed) return
    this.#isWriting = false
    this.#stalledSinceMs = undefined
    this.flush()
    if (!this.#isWriting) this.#room = NO_ROOM
    this.#onTaken()
  }

  /** A frame that has to wait must not keep much larger memory that it shares with others. */
  #copied(frame: Uint8Array): Uint8Array {
    if (frame.length * MEMORY_PER_BYTE_MAX >= frame.buffer.byteLength) return frame
    if (frame.length > WAITING_ROOM_BYTES / 4) return new Uint8Array(frame)
    if (this.#roomAt + frame.length > this.#room.length) {
      this.#room = Buffer.allocUnsafeSlow(WAITING_ROOM_BYTES)
      this.#roomAt = 0
    }
    const at = this.#roomAt
    this.#roomAt += frame.length
    this.#room.set(frame, at)
    return this.#room.subarray(at, this.#roomAt)
  }
}
