// How many bytes of requests the broker holds for all clients together: beyond, it reads no more.

/** Frames up to this size are read as they come; a larger one waits until there is room for all of it. */
const SMALL_FRAME_BYTES = 16 * 1024
/**
 * Half of the budget is for large frames on their way. The rest cannot be taken by clients that
 * send them slowly: what it holds is being carried out, and frees itself.
 */
const FRAMES_SHARE = 0.5
/** Reading goes on when so much of the budget is free again: not at each byte. */
const RESUME_SHARE = 7 / 8

/** Room for one large frame while it comes. */
export interface FrameRoom {
  /** False while it waits for others to be done. */
  readonly isGranted: boolean
  /** The frame is there, or never will be. */
  giveBack(): void
}

interface Waiting {
  readonly bytes: number
  isGranted: boolean
  readonly onGranted: () => void
}

/** Counts complete requests until they are answered, and large frames from their first bytes on. */
export class InputBudget {
  readonly #bytesMax: number
  readonly #readers = new Set<() => void>()
  /** Large frames that wait, first come, first served. */
  readonly #waiting = new Set<Waiting>()
  #heldBytes = 0
  #frameBytes = 0
  #isFull = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes of requests that are held, and of frames that have room. */
  get bytes(): number {
    return this.#heldBytes + this.#frameBytes
  }

  /** Nothing is to be read but frames that have room already. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** @param onChange Called when reading must stop, and when it may go on. */
  join(onChange: () => void): void {
    this.#readers.add(onChange)
  }

  leave(onChange: () => void): void {
    this.#readers.delete(onChange)
  }

  hold(bytes: number): void {
    this.#heldBytes += bytes
    this.#look()
  }

  free(bytes: number): void {
    this.#heldBytes -= bytes
    this.#look()
  }

  /**
   * Asks for room for a frame of so many bytes; undefined if it is so small that it needs none.
   * @param onGranted Called later, if the frame has to wait.
   */
  roomFor(bytes: number, onGranted: () => void): FrameRoom | undefined {
    if (bytes <= SMALL_FRAME_BYTES) return undefined
    const waiting: Waiting = { bytes, isGranted: false, onGranted }
    this.#waiting.add(waiting)
    this.#grant()
    return {
      get isGranted() {
        return waiting.isGranted
      },
      giveBack: () => this.#takeBack(waiting),
    }
  }

  #takeBack(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    if (waiting.isGranted) {
      waiting.isGranted = false
      this.#frameBytes -= waiting.bytes
    }
    this.#look()
  }

  #look(): void {
    this.#grant()
    const { bytes } = this
    const isFull = this.#isFull ? bytes > this.#bytesMax * RESUME_SHARE : bytes >= this.#bytesMax
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    for (const onChange of this.#readers) onChange()
  }

  /** Who came first is not passed by smaller ones, or it might wait for ever. */
  #grant(): void {
    for (const waiting of this.#waiting) {
      const fits = this.#frameBytes + waiting.bytes <= this.#bytesMax * FRAMES_SHARE
      if (!fits || this.bytes + waiting.bytes > this.#bytesMax) return
      this.#waiting.delete(waiting)
      waiting.isGranted = true
      this.#frameBytes += waiting.bytes
      waiting.onGranted()
    }
  }
}
