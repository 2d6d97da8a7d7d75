// The HTTP port: health, metrics and start-up reports, with a limit on everything.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopback } from '../access/loopback.ts'
import { answerHttp, bearerToken, type HttpAnswer, type HttpParts } from './endpoint.ts'

export interface HttpServerOptions extends HttpParts {
  readonly host: string
  readonly port: number
  /** Further ones are closed at once: each holds a file descriptor that the store may need. */
  readonly connectionsMax: number
}

const HEADER_BYTES_MAX = 8 * 1024
const HEADERS_MS = 10_000
const REQUEST_MS = 15_000
const KEEP_ALIVE_MS = 5_000
/** How often Node looks for requests over their time. */
const CHECK_EVERY_MS = 2_000
const REQUESTS_PER_CONNECTION_MAX = 1_000

export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #server: Server

  constructor(options: HttpServerOptions) {
    this.#options = options
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: HEADERS_MS,
        requestTimeout: REQUEST_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: CHECK_EVERY_MS,
        noDelay: true,
      },
      (request, response) => void this.#serve(request, response),
    )
    this.#server.maxConnections = options.connectionsMax
    this.#server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  /** @throws the error of listening, such as EADDRINUSE. */
  async start(): Promise<void> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  /** Resolves when nothing listens and nobody is connected. Safe before start, safe twice. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    // An answer takes milliseconds, and a probe asks again: nobody is waited for.
    this.#server.closeAllConnections()
    await closed
  }

  destroy(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A body has no meaning here; it is read away within the limits of time.
    request.resume()
    const answer = await this.#answer(request)
    const { status, contentType, body, headers } = answer
    response.writeHead(status, {
      'Content-Type': contentType,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async #answer(request: IncomingMessage): Promise<HttpAnswer> {
    const { method = '', url = '', headers, socket } = request
    const question = {
      method,
      path: url.split('?', 1)[0] ?? '',
      token: bearerToken(headers.authorization),
      isLoopback: isLoopback(socket.remoteAddress ?? ''),
    }
    try {
      return await answerHttp(question, this.#options)
    } catch (error) {
      this.#options.onFailure(error)
      // What a scrape could not read, its next one may.
      return { status: 500, contentType: 'application/json', body: '{"error":"try again"}\n' }
    }
  }
}
