// What a worker's main thread and its heartbeat thread say to each other.

import type { ErrorCode, StopOrder } from '@tq/core'

/** Given to the thread when it starts; must survive the structured clone. */
export interface HeartbeatThreadData {
  readonly addresses: readonly string[]
  readonly token: string | undefined
  readonly name: string
  readonly connectTimeoutMs: number
  readonly reconnect: { readonly baseMs: number; readonly capMs: number }
  readonly table: SharedArrayBuffer
  readonly worker: Uint8Array
  readonly leaseMs: number
}

export type MessageToThread =
  /** The main thread's monotonic clock when it wrote this. */
  | { readonly kind: 'clock'; readonly mainMs: number }
  | { readonly kind: 'beat' }
  | { readonly kind: 'stop' }

export type MessageFromThread =
  /** Up, and waiting for the clock. */
  | { readonly kind: 'up' }
  | { readonly kind: 'stop-orders'; readonly orders: readonly StopOrder[] }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
