// Connections that are opened all at once and say nothing but hello.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { decodeServerMessage, encodeRequestFrame, FrameDecoder, limits } from '@tq/core'

export interface IdleConnections {
  /** How many were greeted. */
  readonly open: number
  /** How many were told RESOURCE_EXHAUSTED. */
  readonly refused: number
  destroy(): void
}

export async function idleConnections(port: number, count: number): Promise<IdleConnections> {
  const callers = await Promise.all(Array.from({ length: count }, () => call(port)))
  return {
    open: callers.filter(({ said }) => said === 'reply').length,
    refused: callers.filter(({ said }) => said === 'RESOURCE_EXHAUSTED').length,
    destroy: () => {
      for (const { socket } of callers) socket.destroy()
    },
  }
}

async function call(
  port: number,
): Promise<{ readonly socket: Socket; readonly said: string | undefined }> {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  const client = { name: 'idle', version: '1' }
  const session = new Uint8Array(randomBytes(16))
  socket.write(encodeRequestFrame(1, { verb: 'hello', protocol: 1, client, session }))
  const answer = once(socket, 'data') as Promise<[Uint8Array]>
  const closed = once(socket, 'close').then(() => undefined)
  const heard = await Promise.race([answer, closed]).catch(() => undefined)
  if (heard === undefined) return { socket, said: undefined }
  const [body] = new FrameDecoder(limits.FRAME_BYTES_MAX).push(heard[0])
  const message = body === undefined ? undefined : decodeServerMessage(body)
  return { socket, said: message?.kind === 'refusal' ? message.error.code : message?.kind }
}
