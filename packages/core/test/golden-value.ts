// Values that the golden messages share, and how their bytes are written down.

/** Bytes from hex digits; spaces and line breaks between them mean nothing. */
export function hex(digits: string): Uint8Array {
  const compact = digits.replaceAll(/\s/g, '')
  return Uint8Array.from(Buffer.from(compact, 'hex'))
}

/** Several of these, with a bar between them. */
export function hexes(list: string): Uint8Array[] {
  return list.split('|').map(hex)
}

/** The same digits for the same bytes: lower case, two for each byte, no spaces. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Tasks of the queue `mail`, made at 2026-11-20T10:00:00Z. */
export const TASK_1: Uint8Array = hex('01a1f866 0d00 7000 92eb 30557a9fc4e9')
export const TASK_2: Uint8Array = hex('01a1f866 0d00 7001 92ee 33587da2c7ec')
export const SESSION: Uint8Array = hex('a0a1a2a3 a4a5 a6a7 a8a9 aaabacadaeaf')
/** The 17th token of epoch 3. */
export const TOKEN: number = 3 * 2 ** 32 + 17
export const NOW_MS: number = Date.UTC(2026, 10, 20, 10)
/** MessagePack of {"to": "ada@example.org"}. */
export const PAYLOAD: Uint8Array = hex('81 a2 746f af 616461406578616d706c652e6f7267')
/** MessagePack of true. */
export const RESULT: Uint8Array = hex('c3')
