// Plots as SVG.

import { describe, expect, it } from 'vitest'
import { drawPlot, type Plot } from './plot.ts'

const SWEEP: Plot = {
  title: 'Throughput over <waiting> & more',
  x: { label: 'waiting tasks', isLogarithmic: true },
  yLabel: 'tasks/s',
  lines: [
    {
      name: 'mixed load',
      points: [
        { x: 1_000, y: 50_000 },
        { x: 10_000, y: 40_000 },
        { x: 1_000_000, y: 30_000 },
      ],
    },
    { name: 'another', points: [{ x: 1_000, y: 10 }] },
  ],
}

/** Middle points of the dots, in the order in which they were drawn. */
function dots(svg: string): readonly (readonly [number, number])[] {
  return [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(
    ([, x, y]) => [Number(x), Number(y)] as const,
  )
}

describe('a plot', () => {
  it('is well-formed, with its words kept apart from its marks', () => {
    const svg = drawPlot(SWEEP)

    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>\n$/)
    expect(svg).toContain('Throughput over &lt;waiting&gt; &amp; more')
    expect(svg.match(/<text/g)?.length).toBe(svg.match(/<\/text>/g)?.length)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('places powers of ten at even distances, and more higher up', () => {
    const [first = [0, 0], second = [0, 0], third = [0, 0]] = dots(drawPlot(SWEEP))

    expect((third[0] - first[0]) / (second[0] - first[0])).toBeCloseTo(3, 1)
    expect(first[1]).toBeLessThan(third[1])
  })

  it('labels both axes, and names its lines', () => {
    const svg = drawPlot(SWEEP)

    for (const words of ['1k', '10k', '1M', '50k', 'waiting tasks', 'tasks/s', 'mixed load']) {
      expect(svg).toContain(`>${words}</text>`)
    }
  })

  it('begins at zero', () => {
    const svg = drawPlot({ ...SWEEP, lines: [{ name: 'high', points: [{ x: 1, y: 99 }] }] })

    expect(svg).toContain('>0</text>')
  })

  it('draws one value, and many without dots', () => {
    const points = Array.from({ length: 100 }, (_, n) => ({ x: n / 10, y: 100 + n }))
    const x = { label: 'minutes', isLogarithmic: false }
    const many = drawPlot({ ...SWEEP, x, lines: [{ name: 'samples', points }] })
    const one = drawPlot({ ...SWEEP, x, lines: [{ name: 'one', points: points.slice(0, 1) }] })

    expect(dots(many)).toEqual([])
    expect(dots(one)).toHaveLength(1)
    expect(many + one).not.toMatch(/NaN|Infinity/)
  })

  it('is readable on dark ground as well', () => {
    expect(drawPlot(SWEEP)).toContain('prefers-color-scheme: dark')
  })
})
