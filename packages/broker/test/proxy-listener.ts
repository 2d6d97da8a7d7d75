// Where a proxy listens for the clients of a broker: each of them gets a connection to it.

import { once } from 'node:events'
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from 'node:net'
import type { RigAddress } from './rig-broker.ts'

export interface ProxyListenerOptions {
  /** Asked for each connection: a broker that was started again has moved. */
  readonly target: () => RigAddress
  readonly onJoin: (client: Socket, broker: Socket) => void
  /** What one side has ended stays open on the other. */
  readonly allowHalfOpen?: boolean
}

export class ProxyListener {
  readonly #server: Server

  constructor({ target, onJoin, allowHalfOpen = false }: ProxyListenerOptions) {
    const options = { noDelay: true, allowHalfOpen }
    this.#server = createServer(options, (client) =>
      onJoin(client, createConnection({ ...target(), ...options })),
    )
  }

  /** On a free port. */
  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get address(): RigAddress {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  /** Takes no more clients; those that are there are their proxy's. */
  close(): void {
    this.#server.close()
  }
}
