// What each address of the HTTP port answers. Everything here only reads.

import type { StartupReport } from '@tq/core'

export interface HttpParts {
  /** The metrics as text, with its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Why the broker should get no new work; empty if it is ready. */
  readonly readiness: () => readonly string[]
  /** Reports of the last starts, newest first. */
  readonly startupLog: () => readonly StartupReport[]
  /** Whether this token, or none, opens what tells more than health. */
  readonly mayRead: (token: string | undefined, isLoopback: boolean) => boolean
  /** Hears why a question could not be answered; the asker does not. */
  readonly onFailure: (error: unknown) => void
}

export interface HttpQuestion {
  readonly method: string
  /** Path without the query. */
  readonly path: string
  readonly token: string | undefined
  readonly isLoopback: boolean
}

export interface HttpAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly contentType: string
  readonly body: string
}

type Endpoint = {
  /** Probes of orchestrators carry no tokens. */
  readonly isOpen: boolean
  readonly answer: (parts: HttpParts) => HttpAnswer | Promise<HttpAnswer>
}

/** Every address, for docs/operating.md as well. */
export const ENDPOINTS: Readonly<Record<string, Endpoint & { readonly help: string }>> = {
  '/healthz': {
    isOpen: true,
    help: '200 while the process is alive.',
    answer: () => json(200, { alive: true }),
  },
  '/readyz': {
    isOpen: true,
    help: '200 if the broker has recovered, commits, and is not over its limits; else 503 with the reasons.',
    answer: ({ readiness }) => {
      const reasons = readiness()
      const ready = reasons.length === 0
      return json(ready ? 200 : 503, ready ? { ready } : { ready, reasons })
    },
  },
  '/metrics': {
    isOpen: false,
    help: 'Metrics in the text format of Prometheus.',
    answer: async ({ metrics }) => {
      const { contentType, text } = await metrics()
      return { status: 200, contentType, body: text }
    },
  },
  '/startup-log': {
    isOpen: false,
    help: 'Reports of the last starts, newest first: each step with its time and counts.',
    answer: ({ startupLog }) => json(200, { reports: startupLog() }),
  },
}

export async function answerHttp(question: HttpQuestion, parts: HttpParts): Promise<HttpAnswer> {
  const { method, path, token, isLoopback } = question
  const endpoint = Object.hasOwn(ENDPOINTS, path) ? ENDPOINTS[path] : undefined
  if (endpoint === undefined) {
    return json(404, {
      error: `nothing is at ${path}; there is ${Object.keys(ENDPOINTS).join(', ')}`,
    })
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return {
      ...json(405, { error: `${path} is only read: use GET` }),
      headers: { Allow: 'GET, HEAD' },
    }
  }
  if (!endpoint.isOpen && !parts.mayRead(token, isLoopback)) {
    const error = token === undefined ? `${path} needs a token` : 'this token opens nothing'
    return { ...json(401, { error }), headers: { 'WWW-Authenticate': 'Bearer' } }
  }
  return await endpoint.answer(parts)
}

/** The token of an Authorization header; undefined if there is none of that kind. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` }
}
