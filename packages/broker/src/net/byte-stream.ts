// What a connection needs of its socket: Node's own fits, and so does a simulated one.

export interface ByteStream {
  readonly destroyed: boolean
  /** Bytes that were written and that the system has not taken yet. */
  readonly writableLength: number
  readonly writableEnded: boolean
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  /** @param taken Called when the system has taken these bytes. */
  write(bytes: Uint8Array, taken: () => void): boolean
  cork(): void
  uncork(): void
  end(): unknown
  destroy(): unknown
  pause(): unknown
  resume(): unknown
  isPaused(): boolean
}
