// An endpoint as the broker's connections know their sockets.

import type { ByteStream } from '../../src/net/byte-stream.ts'
import type { Endpoint } from './endpoint.ts'

export class SimSocket implements ByteStream {
  readonly #endpoint: Endpoint
  #onData: (chunk: Uint8Array) => void = () => undefined
  #onError: (error: Error) => void = () => undefined
  #onEnd: () => void = () => undefined
  #onClose: () => void = () => undefined

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
    endpoint.events = {
      data: (bytes) => this.#onData(bytes),
      end: () => this.#onEnd(),
      drained: () => undefined,
      closed: (error) => {
        if (error !== undefined) this.#onError(error)
        this.#onClose()
      },
    }
  }

  get destroyed(): boolean {
    return this.#endpoint.isDestroyed
  }

  get writableLength(): number {
    return this.#endpoint.unsentBytes
  }

  get writableEnded(): boolean {
    return this.#endpoint.isEnding
  }

  on(event: 'data', listener: (chunk: Uint8Array) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  on(event: 'end' | 'close', listener: () => void): void
  on(event: 'data' | 'error' | 'end' | 'close', listener: (what: never) => void): void {
    const hear = listener as () => void
    if (event === 'data') this.#onData = listener as (chunk: Uint8Array) => void
    else if (event === 'error') this.#onError = listener as (error: Error) => void
    else if (event === 'end') this.#onEnd = hear
    else this.#onClose = hear
  }

  write(bytes: Uint8Array, taken: () => void): boolean {
    this.#endpoint.write(bytes, taken)
    return this.writableLength === 0
  }

  cork(): void {}

  uncork(): void {}

  end(): void {
    this.#endpoint.end()
  }

  destroy(): void {
    this.#endpoint.destroy()
  }

  pause(): void {
    this.#endpoint.pause()
  }

  resume(): void {
    this.#endpoint.resume()
  }

  isPaused(): boolean {
    return this.#endpoint.isPaused
  }
}
