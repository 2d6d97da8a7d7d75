// What a client tells about its connection, for logs and health checks.

import type { TqError } from '@tq/core'

export type ClientEvent =
  | {
      readonly kind: 'connected'
      readonly address: string
      readonly broker: { readonly name: string; readonly version: string; readonly epoch: number }
    }
  /** The connection ended, or could not be made. Requests wait for the next one. */
  | { readonly kind: 'disconnected'; readonly address: string; readonly error: TqError }
  /** The broker refused the greeting in a way that trying again does not mend. */
  | { readonly kind: 'refused'; readonly address: string; readonly error: TqError }
  /** The broker is about to stop. */
  | { readonly kind: 'closing'; readonly reason: string; readonly graceMs: number }
