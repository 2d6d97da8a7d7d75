// How many bytes of requests the broker holds for all clients together: beyond, it reads no more.

/** Bodies up to this size are read as they come; a larger one needs room for each of its slices. */
const SMALL_FRAME_BYTES = 16 * 1024
/** What one read of a socket brings at most: a frame is read while it has room for so much. */
const SLICE_BYTES = 64 * 1024
/**
 * Large frames on their way may take so much of the budget with what has come of them and the
 * slices ahead: who announces much and sends nothing holds two slices.
 */
const SLICES_SHARE = 3 / 8
/**
 * So much besides is for frames that get room for all that is missing of them, so that some can
 * always be completed, even if the slices are full of halves. Both shares together leave half: what
 * holds that is being carried out, and frees itself.
 */
const WHOLES_SHARE = 1 / 8
/** So much more may be held by requests that wait for work or for the end of a task. */
const PARKED_SHARE = 1 / 4
/** Reading goes on when so much of the budget is free again: not at each byte. */
const RESUME_SHARE = 7 / 8

/** Room for one large frame while it comes. */
export interface FrameRoom {
  /** False while it waits for others to be done. */
  readonly isGranted: boolean
  /** So many bytes of its body have come in all: it may need room for more. */
  arrived(bytes: number): void
  /** The frame is there, or never will be. */
  giveBack(): void
}

interface Frame {
  readonly bytes: number
  readonly onGranted: () => void
  arrivedBytes: number
  /** Room that it has among the slices, and among the wholes. */
  sliceBytes: number
  wholeBytes: number
}

/**
 * Counts complete requests until they are answered or parked, parked ones under a limit of their
 * own, and large frames from their first bytes on.
 */
export class InputBudget {
  readonly #bytesMax: number
  readonly #readers = new Set<() => void>()
  /** Large frames that wait, first come, first served. */
  readonly #waiting = new Set<Frame>()
  #heldBytes = 0
  #parkedBytes = 0
  #sliceBytes = 0
  #wholeBytes = 0
  #isFull = false

  /** @param bytesMax At least two frames of full size, so that one can always be completed. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes of requests that are held, and of frames that have room; without those parked. */
  get bytes(): number {
    return this.#heldBytes + this.#sliceBytes + this.#wholeBytes
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
   * A request that is held begins to wait for something that may take its time: it must not keep
   * others from being read. False, and nothing changes, if too many bytes wait already.
   */
  park(bytes: number): boolean {
    if (this.#parkedBytes + bytes > this.#bytesMax * PARKED_SHARE) return false
    this.#parkedBytes += bytes
    this.free(bytes)
    return true
  }

  /** A parked request has been answered, or nobody is there to hear the answer. */
  unpark(bytes: number): void {
    this.#parkedBytes -= bytes
  }

  /**
   * Asks for room for a body of so many bytes; undefined if it is so small that it needs none.
   * @param onGranted Called whenever it gets room.
   */
  roomFor(bytes: number, onGranted: () => void): FrameRoom | undefined {
    if (bytes <= SMALL_FRAME_BYTES) return undefined
    const frame: Frame = { bytes, onGranted, arrivedBytes: 0, sliceBytes: 0, wholeBytes: 0 }
    this.#ask(frame)
    const waiting = this.#waiting
    return {
      get isGranted() {
        return !waiting.has(frame)
      },
      arrived: (arrivedBytes) => {
        frame.arrivedBytes = arrivedBytes
        if (missingBytes(frame) > 0) this.#ask(frame)
      },
      giveBack: () => this.#takeBack(frame),
    }
  }

  #ask(frame: Frame): void {
    this.#waiting.add(frame)
    this.#grant()
  }

  #takeBack(frame: Frame): void {
    this.#waiting.delete(frame)
    this.#sliceBytes -= frame.sliceBytes
    this.#wholeBytes -= frame.wholeBytes
    frame.sliceBytes = 0
    frame.wholeBytes = 0
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

  /** Who came first is not passed by others, or it might wait for ever. */
  #grant(): void {
    for (const frame of this.#waiting) {
      if (!this.#grantSlices(frame) && !this.#grantWhole(frame)) return
      this.#waiting.delete(frame)
      frame.onGranted()
    }
  }

  /** Room for the slices ahead of what has come. */
  #grantSlices(frame: Frame): boolean {
    const aheadBytes = Math.min(frame.bytes, frame.arrivedBytes + 2 * SLICE_BYTES)
    const bytes = aheadBytes - frame.sliceBytes
    const fits = this.#sliceBytes + bytes <= this.#bytesMax * SLICES_SHARE
    if (!fits || this.bytes + bytes > this.#bytesMax) return false
    frame.sliceBytes += bytes
    this.#sliceBytes += bytes
    return true
  }

  /** Room for all that is missing, so that the frame can be completed whatever others do. */
  #grantWhole(frame: Frame): boolean {
    const bytes = frame.bytes - frame.sliceBytes
    const isWithin = this.#wholeBytes + bytes <= this.#bytesMax * WHOLES_SHARE
    // One is always let in: its size is limited, and the share may be smaller than that.
    const fits = isWithin || this.#wholeBytes === 0
    if (!fits || this.bytes + bytes > this.#bytesMax) return false
    frame.wholeBytes = bytes
    this.#wholeBytes += bytes
    return true
  }
}

/** Bytes that the next read of the socket may bring beyond the frame's room. */
function missingBytes({ bytes, arrivedBytes, sliceBytes, wholeBytes }: Frame): number {
  return Math.min(bytes, arrivedBytes + SLICE_BYTES) - sliceBytes - wholeBytes
}
