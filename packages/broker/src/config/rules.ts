// What must hold between options, where each by itself is right.

import { isLoopback } from '../access/loopback.ts'
import type { BrokerConfig } from './config.ts'
import type { OptionPath } from './outline.ts'

export interface BrokenRule {
  /** The option to point at; the others that the rule reads follow. */
  readonly path: OptionPath
  /** To be read after the option's name. */
  readonly problem: string
  readonly reads: readonly OptionPath[]
}

export function brokenRules(config: BrokerConfig): BrokenRule[] {
  return [
    ...tcpExposure(config),
    ...httpExposure(config),
    ...sharedPort(config),
    ...deadWorkers(config),
    ...idleWorkers(config),
    ...repeatedTokens(config),
  ]
}

const NO_TLS =
  'this version speaks no TLS of its own: put it on a private network or behind a TLS tunnel'

function* tcpExposure({ host, allowPlaintext, auth }: BrokerConfig): Generator<BrokenRule> {
  if (isLoopback(host)) return
  const missing = [
    ...(auth.tokens.length === 0 ? ['auth.tokens'] : []),
    ...(allowPlaintext ? [] : ['allowPlaintext: true']),
  ]
  if (missing.length === 0) return
  yield {
    path: ['host'],
    problem: `is ${host}, which other machines reach; that needs ${missing.join(' and ')} (${NO_TLS}), or host: 127.0.0.1`,
    reads: [['auth', 'tokens'], ['allowPlaintext']],
  }
}

function* httpExposure({ http, allowPlaintext, auth }: BrokerConfig): Generator<BrokenRule> {
  if (!http.enabled || isLoopback(http.host)) return
  const missing = [
    ...(auth.tokens.length === 0 && !http.allowAnonymous
      ? ['auth.tokens (or http.allowAnonymous: true)']
      : []),
    ...(allowPlaintext ? [] : ['allowPlaintext: true']),
  ]
  if (missing.length === 0) return
  yield {
    path: ['http', 'host'],
    problem: `is ${http.host}, which other machines reach; that needs ${missing.join(' and ')} (${NO_TLS}), or http.host: 127.0.0.1`,
    reads: [
      ['auth', 'tokens'],
      ['allowPlaintext'],
      ['http', 'enabled'],
      ['http', 'allowAnonymous'],
    ],
  }
}

function* sharedPort({ port, http }: BrokerConfig): Generator<BrokenRule> {
  if (!http.enabled || port === 0 || port !== http.port) return
  yield {
    path: ['http', 'port'],
    problem: `is ${port} like port; each needs its own`,
    reads: [['port'], ['http', 'enabled']],
  }
}

function* deadWorkers({ workers }: BrokerConfig): Generator<BrokenRule> {
  const { heartbeatMs, deadMs } = workers
  if (deadMs > 2 * heartbeatMs) return
  yield {
    path: ['workers', 'deadMs'],
    problem: `must be more than twice workers.heartbeatMs (${heartbeatMs}), so that one late heartbeat does not make a worker dead; got ${deadMs}`,
    reads: [['workers', 'heartbeatMs']],
  }
}

function* idleWorkers({ workers, timeouts }: BrokerConfig): Generator<BrokenRule> {
  if (timeouts.idleMs > 2 * workers.heartbeatMs) return
  yield {
    path: ['timeouts', 'idleMs'],
    problem: `must be more than twice workers.heartbeatMs (${workers.heartbeatMs}), or workers are cut off between heartbeats; got ${timeouts.idleMs}`,
    reads: [['workers', 'heartbeatMs']],
  }
}

function* repeatedTokens({ auth }: BrokerConfig): Generator<BrokenRule> {
  const names = new Map<string, string>()
  for (const { name, sha256 } of auth.tokens) {
    const earlier = names.get(sha256)
    names.set(sha256, name)
    if (earlier === undefined) continue
    yield {
      path: ['auth', 'tokens'],
      problem: `has the same token twice, for ${earlier} and ${name}; each needs its own`,
      reads: [],
    }
  }
}
