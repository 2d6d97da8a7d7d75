// What a broker that lives for one reading tells of itself, a line of JSON each.

import type { StoreError } from '../../src/storage/port.ts'
import type { Reading } from './reading.ts'

export type ChildReport =
  | { readonly kind: 'listening' }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'refused'; readonly code: StoreError['code']; readonly said: string }
  /** It started, and could not go on. */
  | { readonly kind: 'gave-up'; readonly said: string }
  | { readonly kind: 'crashed'; readonly said: string }
  | {
      readonly kind: 'read'
      /** The commit that the store had come to. */
      readonly lsn: number
      readonly reading: Reading
      /** Damage that the broker reported. */
      readonly damages: readonly { readonly what: string; readonly key: string }[]
    }
