// Reads what a broker answers at /metrics: values by name, and quantiles of histograms.

/** A histogram's bucket: how many observations were at most `edge`. */
interface Bucket {
  readonly edge: number
  readonly count: number
}

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

  /** How much it has grown since the exposition before. */
  growth(before: Exposition, name: string, label = ''): number {
    return this.sum(name, label) - before.sum(name, label)
  }

  /** The mean of what a histogram observed since the exposition before; 0 of nothing. */
  meanSince(before: Exposition, name: string): number {
    const count = this.growth(before, `${name}_count`)
    return count === 0 ? 0 : this.growth(before, `${name}_sum`) / count
  }

  /**
   * A quantile of what a histogram observed since the exposition before, taken to lie evenly within
   * its bucket; the last edge if it lies beyond, 0 of nothing.
   */
  quantileSince(before: Exposition, name: string, share: number): number {
    const buckets = this.#bucketsSince(before, name)
    const wanted = share * (buckets.at(-1)?.count ?? 0)
    if (wanted === 0) return 0
    let below: Bucket = { edge: 0, count: 0 }
    for (const bucket of buckets) {
      if (bucket.edge === Infinity) break
      if (bucket.count >= wanted) {
        const part = (wanted - below.count) / (bucket.count - below.count)
        return below.edge + part * (bucket.edge - below.edge)
      }
      below = bucket
    }
    return below.edge
  }

  #bucketsSince(before: Exposition, name: string): readonly Bucket[] {
    const prefix = `${name}_bucket{le="`
    return [...this.#values]
      .filter(([series]) => series.startsWith(prefix))
      .map(([series, count]) => {
        const edge = series.slice(prefix.length, series.indexOf('"', prefix.length))
        const seen = before.#values.get(series) ?? 0
        return { edge: edge === '+Inf' ? Infinity : Number(edge), count: count - seen }
      })
      .toSorted((one, other) => one.edge - other.edge)
  }
}
