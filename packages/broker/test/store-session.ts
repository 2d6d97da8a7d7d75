// A store that has been opened, spoken to in words instead of bytes.

import type { Batch, Entry, KeyRange, Opened, Store } from '../src/storage/port.ts'

/** Every key that a test uses. */
export const ALL: KeyRange = { from: Uint8Array.of(0), to: new Uint8Array(8).fill(0xff) }
export const EMPTY: Batch = { putKeys: [], putValues: [], deleteKeys: [] }

/** A store that has been opened, with its next LSN. */
export class Session {
  readonly store: Store
  readonly opened: Opened
  #lsn: number

  constructor(store: Store, opened: Opened) {
    this.store = store
    this.opened = opened
    this.#lsn = opened.lsn
  }

  async commit(batch: Batch, epoch = this.opened.ownership.epoch): Promise<string> {
    this.#lsn += 1
    return this.store.commit(this.opened.ownership, this.#lsn, epoch, batch)
  }

  put(values: Readonly<Record<string, string>>): Promise<string> {
    return this.commit(puts(values))
  }

  async entries(range: KeyRange, pageSize = 100): Promise<Entry[]> {
    const entries: Entry[] = []
    for await (const page of this.store.load(range, pageSize)) entries.push(...page)
    return entries
  }

  async all(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.entries(ALL)).map(asText))
  }
}

export async function firstPage(store: Store): Promise<unknown> {
  for await (const page of store.load(ALL, 1)) return page
  return undefined
}

export function puts(values: Readonly<Record<string, string>>): Batch {
  const putValues = Object.values(values).map(text)
  return { putKeys: keys(...Object.keys(values)), putValues, deleteKeys: [] }
}

export function keys(...names: readonly string[]): Uint8Array[] {
  return names.map(text)
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function string(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

export function asText([key, value]: Entry): [string, string] {
  return [string(key), string(value)]
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function number(value: number): Uint8Array {
  const bytes = new Uint8Array(5)
  bytes[0] = 1
  new DataView(bytes.buffer).setUint32(1, value)
  return bytes
}
