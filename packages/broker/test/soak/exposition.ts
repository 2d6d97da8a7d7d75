// Reads the text that /metrics answers: values by name and labels, and quantiles of histograms.

export class Exposition {
  readonly #values = new Map<string, number>()

  constructor(text: string) {
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const space = line.lastIndexOf(' ')
      this.#values.set(line.slice(0, space), Number(line.slice(space + 1)))
    }
  }

  /** The sum over all series of this name whose labels contain `label`, such as `state="queued"`. */
  sum(name: string, label = ''): number {
    let sum = 0
    for (const [series, value] of this.#values) {
      const isNamed = series === name || series.startsWith(`${name}{`)
      if (isNamed && series.includes(label)) sum += value
    }
    return sum
  }

  /** Values of a label with the sums over all series that have it. */
  by(name: string, label: string): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {}
    const pattern = new RegExp(`[{,]${label}="([^"]*)"`)
    for (const [series, value] of this.#values) {
      const key = series.startsWith(`${name}{`) ? pattern.exec(series)?.[1] : undefined
      if (key !== undefined) sums[key] = (sums[key] ?? 0) + value
    }
    return sums
  }

  /**
   * The bound below which a share of what was observed since `before` lies: a bucket's upper edge,
   * so never too small. 0 if nothing was observed, Infinity beyond the last bucket.
   */
  quantileSince(before: Exposition | undefined, name: string, share: number): number {
    const now = this.by(`${name}_bucket`, 'le')
    const then = before?.by(`${name}_bucket`, 'le') ?? {}
    const buckets = Object.entries(now)
      .map(([edge, count]) => ({
        edge: edge === '+Inf' ? Infinity : Number(edge),
        count: count - (then[edge] ?? 0),
      }))
      .sort((a, b) => a.edge - b.edge)
    const all = buckets.at(-1)?.count ?? 0
    return all === 0 ? 0 : (buckets.find(({ count }) => count >= share * all)?.edge ?? Infinity)
  }
}
