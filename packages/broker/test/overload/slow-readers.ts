// Clients that ask for megabytes and do not read them.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { encodeRequestFrame, limits } from '@tq/core'
import { OpaqueBytes, TqClient } from '@tq/client'

const READERS = 16
/** Requests that each sends at a time. */
const REQUESTS = 4

export class SlowReaders {
  readonly #sockets: readonly Socket[]
  readonly #task: Uint8Array
  #requestId = 1
  asked = 0

  static async connect(port: number): Promise<SlowReaders> {
    const client = new TqClient({ address: `127.0.0.1:${port}` })
    const payload = new OpaqueBytes(new Uint8Array(randomBytes(limits.PAYLOAD_BYTES_MAX)))
    const { id } = await client.enqueue('large', 'x', payload, { delayMs: 3_600_000 })
    await client.close()
    const sockets = await Promise.all(Array.from({ length: READERS }, () => greeted(port)))
    return new SlowReaders(sockets, Buffer.from(id.replaceAll('-', ''), 'hex'))
  }

  private constructor(sockets: readonly Socket[], task: Uint8Array) {
    this.#sockets = sockets
    this.#task = task
  }

  /** How many the broker has given up. */
  get cutOff(): number {
    return this.#sockets.filter((socket) => socket.destroyed).length
  }

  ask(): void {
    for (const socket of this.#sockets) {
      for (let request = 0; request < REQUESTS && socket.writable; request += 1) {
        this.#requestId += 1
        this.asked += 1
        const get = { verb: 'get' as const, id: this.#task as never, payload: true }
        socket.write(encodeRequestFrame(this.#requestId, get))
      }
    }
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** A connection that has said hello, and reads nothing from then on. */
async function greeted(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const client = { name: 'slow-reader', version: '1' }
  const session = new Uint8Array(randomBytes(16))
  socket.write(encodeRequestFrame(1, { verb: 'hello', protocol: 1, client, session }))
  await once(socket, 'data')
  socket.pause()
  return socket
}
