// The ports of a broker, made from its configuration: TCP for clients, HTTP for those who watch it.

import { Authenticator } from './access/authenticator.ts'
import type { BrokerConfig } from './config/config.ts'
import { HttpServer } from './http/http-server.ts'
import { connectionsWithin, descriptorsMax, httpConnectionsWithin } from './net/descriptors.ts'
import { TcpServer } from './net/server.ts'
import type { Logger } from './observe/log.ts'
import type { Metrics } from './observe/metrics.ts'
import { RefusalLog } from './observe/refusal-log.ts'
import type { World } from './pipeline/partition.ts'
import type { Pipeline } from './pipeline/pipeline.ts'
import type { Readiness } from './readiness.ts'
import { BROKER_VERSION } from './version.ts'

export interface ServersParts {
  readonly config: BrokerConfig
  readonly log: Logger
  readonly world: World
  readonly metrics: Metrics
  readonly pipeline: Pipeline
  readonly readiness: Readiness
  readonly epoch: number
}

export interface Servers {
  readonly tcp: TcpServer
  readonly http: HttpServer | undefined
}

export function makeServers(parts: ServersParts): Servers {
  const authenticator = new Authenticator(parts.config.auth.tokens)
  return {
    tcp: makeTcp(parts, authenticator),
    http: parts.config.http.enabled ? makeHttp(parts, authenticator) : undefined,
  }
}

function makeTcp(parts: ServersParts, authenticator: Authenticator): TcpServer {
  const { config, log, world, metrics, pipeline, epoch } = parts
  const { limits, timeouts, workers } = config
  const { frameBytesMax, inFlightMax, outputBytesMax } = limits
  const refusals = new RefusalLog(
    () => world.clock.monotonicMs(),
    (refused, reason) => log.warn({ event: 'connections-refused', refused, reason }),
  )
  const { helloMs, frameMs, idleMs, writeStallMs } = timeouts
  return new TcpServer(
    {
      pipeline,
      world,
      authenticate: (token, isLoopback) => authenticator.authenticate(token, isLoopback)?.principal,
      onConnection: (event, about) => {
        metrics.connection(event)
        log.debug({ event: `connection-${event}`, ...about })
        if (event === 'refused') refusals.note(about.reason ?? '')
      },
      onRefusedHello: (code) => metrics.answered('hello', code),
    },
    {
      host: config.host,
      port: config.port,
      connectionsMax: connectionsMaxOf(config, log),
      inputBytesMax: limits.inputBytesMax,
      connection: {
        ...{ frameBytesMax, inFlightMax, outputBytesMax },
        ...{ helloMs, frameMs, idleMs, writeStallMs },
      },
      perAddress: {
        connectionsMax: limits.connectionsPerAddressMax,
        unauthenticatedMax: limits.unauthenticatedPerAddressMax,
        connectRateMax: limits.connectRatePerAddress,
      },
      welcome: {
        version: BROKER_VERSION,
        epoch,
        heartbeatMs: workers.heartbeatMs,
        workerDeadMs: workers.deadMs,
      },
    },
  )
}

/** No more than leave the store its files. */
function connectionsMaxOf({ limits, http }: BrokerConfig, log: Logger): number {
  const wanted = limits.connectionsMax
  const filesMax = descriptorsMax()
  const httpConnections = http.enabled ? httpConnectionsWithin(filesMax) : 0
  const connectionsMax = Math.min(wanted, connectionsWithin(filesMax, httpConnections))
  if (connectionsMax < wanted) {
    const hint = 'raise the limit of open files (ulimit -n, LimitNOFILE) or lower connectionsMax'
    log.warn({ event: 'connections-lowered', wanted, connectionsMax, filesMax, hint })
  }
  return connectionsMax
}

function makeHttp(parts: ServersParts, authenticator: Authenticator): HttpServer {
  const { config, log, metrics, pipeline, readiness } = parts
  const { host, port, allowAnonymous } = config.http
  return new HttpServer({
    host,
    port,
    connectionsMax: httpConnectionsWithin(descriptorsMax()),
    metrics: () => metrics.scrape(),
    readiness: () => readiness.reasons(),
    startupLog: () => pipeline.reads.reports,
    mayRead: (token, isLoopback) =>
      allowAnonymous || authenticator.authenticate(token, isLoopback) !== undefined,
    onFailure: (error) => log.error({ event: 'http-failed', error }),
  })
}
