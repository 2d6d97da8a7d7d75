// A two-way stream of bytes to a broker, and how one is opened over TCP.

import { createConnection } from 'node:net'
import type { Address } from './address.ts'

export interface WireEvents {
  opened(): void
  data(chunk: Uint8Array): void
  /** The wire takes bytes again after `write` returned false. */
  drained(): void
  /** The wire is gone; nothing comes after this. */
  closed(error: Error | undefined): void
}

export interface Wire {
  /** Sends the chunks in one go. False: hold back until `drained`. */
  write(chunks: readonly Uint8Array[]): boolean
  /** Sends what is buffered, then closes. */
  end(): void
  destroy(): void
}

/** Opens a wire. A simulation gives its own; everybody else uses {@link dialTcp}. */
export type Dial = (address: Address, events: WireEvents) => Wire

export const dialTcp: Dial = (address, events) => {
  // Without noDelay a small frame would wait up to 40 ms for the acknowledgement of the last one.
  const socket = createConnection({ host: address.host, port: address.port, noDelay: true })
  let failure: Error | undefined
  socket.on('connect', () => events.opened())
  socket.on('data', (chunk) => events.data(chunk))
  socket.on('drain', () => events.drained())
  socket.on('error', (error) => (failure = error))
  socket.on('close', () => events.closed(failure))
  return {
    write(chunks) {
      const only = chunks[0]
      if (chunks.length === 1 && only !== undefined) return socket.write(only)
      socket.cork()
      let wantsMore = true
      for (const chunk of chunks) wantsMore = socket.write(chunk)
      socket.uncork()
      return wantsMore
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  }
}
