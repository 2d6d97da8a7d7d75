// When a request that carries many callers' items is refused: whose fault it is, and what to repeat.

import { TqError } from '@tq/core'

export interface Verdict<Item> {
  /** Items that the refusal stands for. */
  readonly refused: readonly Item[]
  /** Groups to send again, each as a request of its own. */
  readonly again: readonly (readonly Item[])[]
}

/**
 * A refusal that names an item is that item's alone. One that says the bytes are wrong but not
 * where is narrowed down by halves. Any other is everybody's.
 */
export function judgeRefusal<Item>(error: unknown, items: readonly Item[]): Verdict<Item> {
  const everybody: Verdict<Item> = { refused: items, again: [] }
  if (!(error instanceof TqError) || items.length < 2) return everybody
  const { index, field } = error.details
  if (typeof index === 'number' && items[index] !== undefined) {
    return { refused: [items[index]], again: [items.toSpliced(index, 1)] }
  }
  const isAboutBytes = error.code === 'BAD_REQUEST' || error.code === 'TOO_LARGE'
  if (!isAboutBytes || field !== undefined) return everybody
  const half = Math.ceil(items.length / 2)
  return { refused: [], again: [items.slice(0, half), items.slice(half)] }
}
