// What the bench says to a load process, and what it hears back.

export type LoadOrder =
  | {
      readonly kind: 'connect'
      readonly port: number
      readonly queue: string
      readonly connections: number
    }
  | {
      readonly kind: 'enqueue'
      readonly tasks: number
      readonly payloadBytes: number
      /** Tasks of a request; 1 sends one task a request. */
      readonly batch: number
      /** Requests under way on each connection. */
      readonly outstanding: number
    }
  /** Runs workers with a handler that does nothing, until so many tasks have been acknowledged. */
  | { readonly kind: 'drain'; readonly tasks: number; readonly concurrency: number }
  /** One task at a time: enqueue, wait for its handler, wait for its result. */
  | { readonly kind: 'latency'; readonly rounds: number; readonly payloadBytes: number }

export type LoadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly seconds: number; readonly cpuUs: number }
  | {
      readonly kind: 'latency'
      /** From the call of enqueue to the start of the handler, sorted, in ms. */
      readonly startMs: readonly number[]
      /** From the call of enqueue to its acknowledgement, sorted, in ms. */
      readonly ackMs: readonly number[]
      readonly cpuUs: number
    }
  | { readonly kind: 'failed'; readonly message: string }
