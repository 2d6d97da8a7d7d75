// From which commit on the next start must look for holes: all that LevelDB's log may still hold.

/** Well above two write buffers of the largest size that may be configured: the log holds no more. */
const LOG_BYTES_MAX = 96 * 1024 * 1024
const STEP_BYTES = 8 * 1024 * 1024

export class VerifyMark {
  readonly #marks: { readonly lsn: number; readonly bytes: number }[] = []
  #fromLsn: number
  #bytes = 0

  constructor(fromLsn: number) {
    this.#fromLsn = fromLsn
  }

  /** The first commit that may still be in the log. */
  get fromLsn(): number {
    return this.#fromLsn
  }

  note(lsn: number, bytes: number): void {
    this.#bytes += bytes
    const last = this.#marks.at(-1)
    if (last === undefined || this.#bytes - last.bytes >= STEP_BYTES) {
      this.#marks.push({ lsn, bytes: this.#bytes })
    }
    while ((this.#marks[1]?.bytes ?? Infinity) <= this.#bytes - LOG_BYTES_MAX) {
      this.#marks.shift()
      this.#fromLsn = this.#marks[0]?.lsn ?? lsn
    }
  }
}
