// Requests as large as they may be, from many clients at once; and halves of such that never end.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { OpaqueBytes, TqClient } from '@tq/client'
import { encodeRequestFrame, limits } from '@tq/core'

const SENDERS = 16
const HALVES = 6
/** Payloads of a request: three of them are just less than a frame. */
const PAYLOADS = 3
const PAYLOAD_BYTES = limits.PAYLOAD_BYTES_MAX

export class HugeFrames {
  readonly #senders: readonly TqClient[]
  readonly #halves: readonly Socket[]
  refused = 0

  static async connect(port: number): Promise<HugeFrames> {
    const options = { address: `127.0.0.1:${port}`, retryRefusals: false, requestTimeoutMs: 60_000 }
    const senders = Array.from({ length: SENDERS }, () => new TqClient(options))
    await Promise.all(senders.map((sender) => sender.ping()))
    const halves = await Promise.all(Array.from({ length: HALVES }, () => greeted(port)))
    return new HugeFrames(senders, halves)
  }

  private constructor(senders: readonly TqClient[], halves: readonly Socket[]) {
    this.#senders = senders
    this.#halves = halves
  }

  /** All but the last byte of a large request, on each of some connections. */
  sendHalves(): void {
    const payload = new Uint8Array(PAYLOAD_BYTES)
    const tasks = Array.from({ length: PAYLOADS }, () => {
      return { id: undefined, type: 'x', payload, options: undefined }
    })
    const request = { verb: 'enqueue' as const, queue: 'huge', tasks, fresh: true }
    const frame = encodeRequestFrame(2, request)
    for (const socket of this.#halves) socket.write(frame.subarray(0, frame.length - 1))
  }

  /** A whole one by each sender; resolves with how many were taken when all are answered. */
  async sendWhole(): Promise<number> {
    const payload = new OpaqueBytes(new Uint8Array(PAYLOAD_BYTES))
    const tasks = Array.from({ length: PAYLOADS }, () => {
      return { type: 'x', payload, options: { ttlMs: 1_000 } }
    })
    const answers = await Promise.allSettled(
      this.#senders.map((sender) => sender.enqueueMany('huge', tasks)),
    )
    const taken = answers.filter(({ status }) => status === 'fulfilled').length
    this.refused += answers.length - taken
    return taken
  }

  async close(): Promise<void> {
    for (const socket of this.#halves) socket.destroy()
    await Promise.all(this.#senders.map((sender) => sender.close()))
  }
}

async function greeted(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const client = { name: 'half', version: '1' }
  const session = new Uint8Array(randomBytes(16))
  socket.write(encodeRequestFrame(1, { verb: 'hello', protocol: 1, client, session }))
  await once(socket, 'data')
  return socket
}
