// What the soak says to its load process, and what it hears back.

/** Open: by the clock, whatever the broker does. Closed: so many requests under way at a time. */
export type Pace =
  | { readonly kind: 'open'; readonly tasksPerSecond: number }
  | { readonly kind: 'closed'; readonly outstanding: number; readonly liveMax: number }

export type LoadOrder =
  | { readonly kind: 'connect'; readonly port: number; readonly seed: number }
  | { readonly kind: 'run'; readonly pace: Pace }
  /** No more tasks and visitors; the workers go on. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'figures' }
  | { readonly kind: 'end' }

/** Counted since the load began; latencies since the last question. */
export interface LoadFigures {
  readonly enqueued: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  /** Connections that came and went. */
  readonly visits: number
  /** Refusals by code, of whatever request. */
  readonly refusals: Readonly<Record<string, number>>
  /** From the moment an enqueue was due until its answer, in ms. */
  readonly ackP50Ms: number
  readonly ackP99Ms: number
  readonly ackMaxMs: number
  readonly cpuSeconds: number
}

export type LoadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'figures'; readonly figures: LoadFigures }
  | { readonly kind: 'failed'; readonly message: string }
