// The slot of a queue: hash(queue) mod 1024, fixed for ever, part of every id and key.

export const SLOT_COUNT: number = 1024

const OFFSET_BASIS = 0x811c9dc5
const PRIME = 0x01000193

/** FNV-1a (32 bit) over the UTF-8 bytes of the queue's name, modulo 1024. */
export function slotOfQueue(queue: string): number {
  let hash = OFFSET_BASIS
  for (let index = 0; index < queue.length; index += 1) {
    const code = queue.charCodeAt(index)
    if (code >= 0x80) return slotOfBytes(new TextEncoder().encode(queue))
    hash = Math.imul(hash ^ code, PRIME)
  }
  return (hash >>> 0) % SLOT_COUNT
}

function slotOfBytes(utf8: Uint8Array): number {
  let hash = OFFSET_BASIS
  for (const byte of utf8) hash = Math.imul(hash ^ byte, PRIME)
  return (hash >>> 0) % SLOT_COUNT
}
