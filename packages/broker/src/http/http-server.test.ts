// The HTTP port over real sockets: what it answers, and to whom.

import { connect } from 'node:net'
import { request, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HttpServer, type HttpServerOptions } from './http-server.ts'

const TOKEN = 'a-token-of-more-than-thirty-two-characters'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const OPTIONS: HttpServerOptions = {
  host: '127.0.0.1',
  port: 0,
  connectionsMax: 16,
  metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'tq_x 1\n' }),
  readiness: () => [],
  startupLog: () => [],
  mayRead: () => true,
  onFailure: () => undefined,
}

async function aServer(parts: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = new HttpServer({ ...OPTIONS, ...parts })
  await server.start()
  onTestFinished(() => server.stop())
  return server
}

function ask(
  server: HttpServer,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = server.address
    const asked = request(
      { host: '127.0.0.1', port, path, agent: false, ...options },
      (response) => {
        const { statusCode = 0, headers } = response
        text(response).then((body) => resolve({ status: statusCode, headers, body }), reject)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

describe('the HTTP server', () => {
  it('says that it is alive', async () => {
    const answer = await ask(await aServer(), '/healthz')

    expect(answer).toMatchObject({ status: 200, body: '{"alive":true}\n' })
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  it('says whether it is ready, and why not', async () => {
    const reasons = ['a commit has taken 9000 ms so far']
    const ready = await ask(await aServer(), '/readyz')
    const unready = await ask(await aServer({ readiness: () => reasons }), '/readyz')

    expect(ready).toMatchObject({ status: 200, body: '{"ready":true}\n' })
    expect(unready.status).toBe(503)
    expect(JSON.parse(unready.body)).toEqual({ ready: false, reasons })
  })

  it('serves metrics and the reports of starts', async () => {
    const report = { startedAtMs: 1, totalMs: 2, epoch: 3, lsn: 4, steps: [], warnings: [] }
    const server = await aServer({ startupLog: () => [report] })
    const metrics = await ask(server, '/metrics?x=1')
    const log = await ask(server, '/startup-log')

    expect(metrics).toMatchObject({ status: 200, body: 'tq_x 1\n' })
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4')
    expect(JSON.parse(log.body)).toEqual({ reports: [report] })
  })

  it('answers HEAD as GET, without the body', async () => {
    const answer = await ask(await aServer(), '/metrics', { method: 'HEAD' })

    expect(answer).toMatchObject({ status: 200, body: '' })
    expect(answer.headers['content-length']).toBe('7')
  })

  it('names what there is to whoever asks for something else', async () => {
    for (const path of ['/', '/metric', '/healthz/', '/constructor', '/__proto__']) {
      const answer = await ask(await aServer(), path)
      expect(answer.status, path).toBe(404)
      expect(answer.body).toContain('/readyz')
    }
  })

  it('only reads', async () => {
    const answer = await ask(await aServer(), '/metrics', { method: 'POST' })

    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD')
  })

  it('asks for a token for all but health, where one is needed', async () => {
    const server = await aServer({ mayRead: (token) => token === TOKEN })
    const withToken = (token: string): Promise<Answer> =>
      ask(server, '/metrics', { headers: { authorization: `bearer ${token}` } })

    expect((await ask(server, '/metrics')).status).toBe(401)
    expect((await ask(server, '/startup-log')).headers['www-authenticate']).toBe('Bearer')
    expect((await withToken('wrong')).body).toContain('opens nothing')
    expect((await withToken(TOKEN)).status).toBe(200)
    expect((await ask(server, '/healthz')).status).toBe(200)
    expect((await ask(server, '/readyz')).status).toBe(200)
  })

  it('tells whoever decides from where a question comes', async () => {
    const asked: unknown[] = []
    const server = await aServer({ mayRead: (...from) => asked.push(from) > 0 })
    await ask(server, '/metrics', { headers: { authorization: 'Basic eDp5' } })

    expect(asked).toEqual([[undefined, true]])
  })

  it('says nothing of a failure but that there was one', async () => {
    const failures: unknown[] = []
    const error = new Error('secret path')
    const server = await aServer({
      metrics: () => Promise.reject(error),
      onFailure: (failure) => failures.push(failure),
    })
    const answer = await ask(server, '/metrics')

    expect(answer).toMatchObject({ status: 500, body: '{"error":"try again"}\n' })
    expect(failures).toEqual([error])
  })

  it('refuses endless headers', async () => {
    const answer = await ask(await aServer(), '/healthz', { headers: { x: 'y'.repeat(10_000) } })

    expect(answer.status).toBe(431)
  })

  it('refuses what is not HTTP', async () => {
    const { port } = (await aServer()).address
    const socket = connect(port, '127.0.0.1')
    socket.end('\u0000\u0001nonsense\r\n\r\n')

    expect(await text(socket)).toContain('400 Bad Request')
  })

  it('closes connections beyond its limit at once, and serves those within', async () => {
    const server = await aServer({ connectionsMax: 1 })
    const { port } = server.address
    const first = connect(port, '127.0.0.1')
    onTestFinished(() => void first.destroy())
    await new Promise((resolve) => first.on('connect', resolve))
    const second = connect(port, '127.0.0.1')
    second.on('error', () => undefined)
    await new Promise((resolve) => second.on('close', resolve))

    first.end('GET /healthz HTTP/1.1\r\nHost: tq\r\nConnection: close\r\n\r\n')

    expect(await text(first)).toContain('200 OK')
  })

  it('rejects if its address is in use', async () => {
    const { port } = (await aServer()).address

    await expect(aServer({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'listen' })
  })

  it('stops though somebody is connected, twice, and before it was started', async () => {
    const server = await aServer()
    const socket = connect(server.address.port, '127.0.0.1')
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.on('connect', resolve))

    await server.stop()
    await server.stop()
    await closed
    const idle = new HttpServer(OPTIONS)
    await idle.stop()
    idle.destroy()
  })
})
