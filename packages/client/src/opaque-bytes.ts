// Values on their way to bytes: MessagePack by default, bytes as they are on demand.

import { encodePayload } from '@tq/core'

/**
 * Marks bytes that go over the wire as they are, instead of as a MessagePack value:
 * `client.enqueue('images', 'resize', new OpaqueBytes(jpeg))`. A plain `Uint8Array` is encoded as a
 * MessagePack binary, and comes back as a `Uint8Array`; opaque bytes are for readers that do not
 * speak MessagePack. A class and not an object with a certain key: no payload can look like it.
 */
export class OpaqueBytes {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** The bytes of a payload or result. */
export function bytesOf(value: unknown): Uint8Array {
  return value instanceof OpaqueBytes ? value.bytes : encodePayload(value)
}
