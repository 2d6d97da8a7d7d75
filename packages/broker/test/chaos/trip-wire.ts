// A proxy for one client whose requests come one at a time: the answer to one may be the broker's last word.

import type { Socket } from 'node:net'
import { ProxyListener } from '../proxy-listener.ts'
import type { RigAddress } from '../rig-broker.ts'

export class TripWire {
  readonly #listener: ProxyListener
  readonly #sockets = new Set<Socket>()
  /** Called once, before the next answer is passed on. */
  #onAnswer: (() => void) | undefined

  /** @param target Asked for each connection: a broker that was started again has moved. */
  static async start(target: () => RigAddress): Promise<TripWire> {
    const wire = new TripWire(target)
    await wire.#listener.listen()
    return wire
  }

  private constructor(target: () => RigAddress) {
    const onJoin = (client: Socket, broker: Socket): void => this.#join(client, broker)
    this.#listener = new ProxyListener({ target, onJoin })
  }

  get address(): RigAddress {
    return this.#listener.address
  }

  /** The next answer, greetings aside, is the moment. */
  arm(onAnswer: () => void): void {
    this.#onAnswer = onAnswer
  }

  disarm(): void {
    this.#onAnswer = undefined
  }

  stop(): void {
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(client: Socket, broker: Socket): void {
    let answerCount = 0
    client.on('data', (chunk) => broker.write(chunk))
    broker.on('data', (chunk) => {
      answerCount += 1
      // The first answer is the one to `hello`.
      if (answerCount > 1) this.#trip()
      client.write(chunk)
    })
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.end()
      })
    }
  }

  #trip(): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    onAnswer?.()
  }
}
