// A plot of lines as SVG: axes, labels, a key; readable on light and on dark ground.

export interface PlotLine {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Plot {
  readonly title: string
  readonly x: { readonly label: string; readonly isLogarithmic: boolean }
  /** Begins at zero: what is twice as much is twice as high. */
  readonly yLabel: string
  readonly lines: readonly PlotLine[]
}

/** Maps values to places on one side of the picture. */
interface Axis {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

const WIDTH = 720
const HEIGHT = 400
const LEFT = 76
const RIGHT = WIDTH - 24
const TOP = 92
const BOTTOM = HEIGHT - 56
/** Ticks of an even axis, about. */
const TICKS = 6
/** Told apart on white and on black, and without colours by their dashes. */
const COLOURS = ['#3b7dd8', '#d9772b', '#4c9a6a', '#a35bb5']
const DASHES = ['', '7 4', '2 4', '10 3 2 3']

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #444 }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #888; stroke-opacity: 0.25 }
  .axis { stroke: #888 }
  .line { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) { text { fill: #ccc } }
`

export function drawPlot(plot: Plot): string {
  const points = plot.lines.flatMap((line) => line.points)
  const xs = points.map((point) => point.x)
  const x = plot.x.isLogarithmic ? logarithmicAxis(xs) : evenAxis(xs, LEFT, RIGHT)
  const y = evenAxis([0, ...points.map((point) => point.y)], BOTTOM, TOP)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escaped(plot.title)}</title>`,
    `<style>${STYLE}</style>`,
    text({ x: LEFT, y: 24, anchor: 'start', className: 'title' }, plot.title),
    ...grid(x, y),
    text({ x: (LEFT + RIGHT) / 2, y: HEIGHT - 14, anchor: 'middle' }, plot.x.label),
    text({ x: LEFT - 8, y: TOP - 14, anchor: 'end' }, plot.yLabel),
    ...plot.lines.flatMap((line, index) => [
      ...drawn(line, index, { x, y }),
      ...keyOf(line, index),
    ]),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

/** Steps of 1, 2 or 5 times a power of ten, from the smallest value to beyond the largest. */
function evenAxis(values: readonly number[], from: number, to: number): Axis {
  const min = Math.min(...values)
  const max = Math.max(...values)
  const step = evenStep((max - min) / TICKS)
  const first = Math.floor(min / step) * step
  const count = Math.max(1, Math.ceil((max - first) / step - 1e-9))
  const last = first + count * step
  return {
    at: (value) => from + ((value - first) / (last - first)) * (to - from),
    ticks: Array.from({ length: count + 1 }, (_, index) => first + index * step),
  }
}

function evenStep(raw: number): number {
  if (!(raw > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(raw))
  return power * ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10)
}

/** A tick at each value: a sweep has few, and they are what was measured. */
function logarithmicAxis(values: readonly number[]): Axis {
  const ticks = [...new Set(values)].toSorted((one, other) => one - other)
  const [min = 1, max = 1] = [ticks[0], ticks.at(-1)]
  const width = Math.log(max / min)
  const at = (value: number): number =>
    width === 0 ? (LEFT + RIGHT) / 2 : LEFT + (Math.log(value / min) / width) * (RIGHT - LEFT)
  return { at, ticks }
}

function grid(x: Axis, y: Axis): readonly string[] {
  const across = y.ticks.flatMap((tick) => [
    `<path class="grid" d="M${LEFT} ${place(y.at(tick))}H${RIGHT}"/>`,
    text({ x: LEFT - 8, y: y.at(tick) + 4, anchor: 'end' }, numberText(tick)),
  ])
  const down = x.ticks.flatMap((tick) => [
    `<path class="grid" d="M${place(x.at(tick))} ${TOP}V${BOTTOM}"/>`,
    text({ x: x.at(tick), y: BOTTOM + 20, anchor: 'middle' }, numberText(tick)),
  ])
  return [
    ...across,
    ...down,
    `<path class="axis" d="M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}" fill="none"/>`,
  ]
}

function drawn(line: PlotLine, index: number, { x, y }: { x: Axis; y: Axis }): readonly string[] {
  const colour = COLOURS[index % COLOURS.length]
  const places = line.points.map((point) => `${place(x.at(point.x))} ${place(y.at(point.y))}`)
  const dashes = DASHES[index % DASHES.length]
  const path = `<path class="line" stroke="${colour}" stroke-dasharray="${dashes}" d="M${places.join('L')}"/>`
  // Dots would hide a line that is drawn from many samples.
  if (places.length > 20) return [path]
  const dots = line.points.map(
    (point) =>
      `<circle cx="${place(x.at(point.x))}" cy="${place(y.at(point.y))}" r="3" fill="${colour}"/>`,
  )
  return places.length === 0 ? [] : [path, ...dots]
}

function keyOf(line: PlotLine, index: number): readonly string[] {
  // Two to a row: four lines of two brokers, with their names, are the most there are.
  const left = LEFT + (index % 2) * 310
  const top = 44 + Math.floor(index / 2) * 20
  const colour = COLOURS[index % COLOURS.length]
  const dashes = DASHES[index % DASHES.length]
  return [
    `<path class="line" stroke="${colour}" stroke-dasharray="${dashes}" d="M${left} ${top - 4}h24"/>`,
    text({ x: left + 30, y: top, anchor: 'start' }, line.name),
  ]
}

function text(
  at: { x: number; y: number; anchor: 'start' | 'middle' | 'end'; className?: string },
  words: string,
): string {
  const named = at.className === undefined ? '' : ` class="${at.className}"`
  return `<text${named} x="${place(at.x)}" y="${place(at.y)}" text-anchor="${at.anchor}">${escaped(words)}</text>`
}

/** A tenth of a pixel is more than enough, and keeps the file readable. */
function place(value: number): number {
  return Math.round(value * 10) / 10
}

function numberText(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toFixed(2))}M`
  if (value >= 1_000) return `${Number((value / 1_000).toFixed(1))}k`
  return String(Number(value.toPrecision(3)))
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
