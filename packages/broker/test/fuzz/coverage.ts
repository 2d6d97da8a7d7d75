// Which parts of the protocol's code have run, as V8 counts them: what guides the search for inputs.

import { Session } from 'node:inspector'

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly Range[] }[]
}

const WATCHED = /\/core\/(src|dist)\/(protocol\/|task-id|slot)/

export class Coverage {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Parts that have run at least once. */
  get edgeCount(): number {
    return this.#seen.size
  }

  /** Parts that have run since the last question, and never before. */
  newEdges(): Set<string> {
    const edges = new Set(this.#edges().filter((edge) => !this.#seen.has(edge)))
    for (const edge of edges) this.#seen.add(edge)
    return edges
  }

  /** Those of these parts that have run since the last question. */
  ranOf(edges: ReadonlySet<string>): string[] {
    return this.#edges().filter((edge) => edges.has(edge))
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  #edges(): string[] {
    return this.#take()
      .filter(({ url }) => WATCHED.test(url))
      .flatMap(({ url, functions }) =>
        functions
          .flatMap(({ ranges }) => ranges)
          .filter(({ count }) => count > 0)
          .map(({ startOffset, endOffset }) => `${url}:${startOffset}:${endOffset}`),
      )
  }

  #take(): readonly ScriptCoverage[] {
    let taken: readonly ScriptCoverage[] = []
    // Within one thread the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error === null) taken = answer.result as readonly ScriptCoverage[]
    })
    return taken
  }
}
