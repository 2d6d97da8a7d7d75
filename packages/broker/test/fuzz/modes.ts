// The ways of fuzzing, each for so many seconds: what was tried, and what broke.

import * as fc from 'fast-check'
import { encodeRequestFrame, FRAME_HEADER_BYTES } from '@tq/core'
import { readFileSync } from 'node:fs'
import { arbitraryEncoded } from '../../../core/test/arbitrary-msgpack.ts'
import { arbitraryRequest } from '../../../core/test/arbitrary-request.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import {
  found,
  GOLDEN_BODIES,
  keepRegression,
  keepStory,
  regressions,
  storyPaths,
} from './corpus.ts'
import { COSTLY_BODIES } from './costly-body.ts'
import { Coverage } from './coverage.ts'
import { DECODE_MS_MAX, decodeCpuMs, faultOfDecoding } from './decoding.ts'
import { dribbleAll } from './dribble.ts'
import { HANG_CPU_MS, InputWatch } from './input-watch.ts'
import { minimised } from './minimise.ts'
import { bend, bendBody, splice } from './mutation.ts'
import { encodeWild, frameOf, wildOf } from './wild-value.ts'
import { parseStory, play, SLOW, type Step, StoryRunner, storyText } from './story.ts'
import { StoryMaker } from './story-maker.ts'

export const MODES = ['dribble', 'structured', 'guided', 'story'] as const
export type Mode = (typeof MODES)[number]

export interface FuzzOptions {
  readonly seed: number
  readonly seconds: number
  /** Keep what fails, in the corpus. */
  readonly isKept: boolean
}

export interface FuzzReport {
  readonly execs: number
  /** How long inputs took. */
  readonly watch: InputWatch
  readonly figures: Readonly<Record<string, number>>
  /** What broke, and the line that repeats it. */
  readonly failure?: string
  /** Bodies that reached something first; small ones. */
  readonly found?: readonly Uint8Array[]
}

type Tried = Omit<FuzzReport, 'watch'>

export async function fuzz(mode: Mode, options: FuzzOptions): Promise<FuzzReport> {
  const watch = new InputWatch()
  return { ...(await RUNS[mode]({ ...options, watch })), watch }
}

interface Watched extends FuzzOptions {
  readonly watch: InputWatch
}

const RUNS: Readonly<Record<Mode, (options: Watched) => Promise<Tried>>> = {
  dribble,
  structured,
  guided,
  story: stories,
}

/** Every split point if there is time for it, else some. */
async function dribble({ seconds, watch }: Watched): Promise<Tried> {
  try {
    const execs = await dribbleAll(seconds >= 30 ? 1 : 40, watch)
    return { execs, figures: {} }
  } catch (error) {
    return { execs: watch.inputs, figures: {}, failure: String(error) }
  }
}

const BATCH = 200

/** Valid requests of all verbs, bent in their values, and once more in their bytes. */
async function structured(options: Watched): Promise<Tried> {
  const random = new SeededRandom(options.seed, 'structured')
  let execs = 0
  let worstMs = 0
  for (const body of [...COSTLY_BODIES, ...regressions()]) {
    worstMs = Math.max(worstMs, decodeCpuMs(body))
    const failure = await judgeBody(body, options)
    execs += 1
    if (failure !== undefined) return { execs, figures: { worstMs }, failure }
  }
  // From here: what is costly takes seconds of its own on a busy machine.
  const clock = new Stopwatch(options.seconds)
  for (let batch = 0; !clock.isOver; batch += 1) {
    const sampled = { seed: options.seed + batch, numRuns: BATCH }
    const bodies = fc
      .sample(arbitraryRequest, sampled)
      .map((request, index) => encodeRequestFrame(index + 1, request).slice(FRAME_HEADER_BYTES))
    const values = fc.sample(arbitraryEncoded, sampled).map(({ bytes }) => bytes)
    for (const [index, body] of bodies.entries()) {
      for (const one of bentBodies(body, values[index] as Uint8Array, random)) {
        execs += 1
        const failure = await judgeBody(one, options)
        if (failure !== undefined) return { execs, figures: { worstMs }, failure }
        if (clock.isOver) return { execs, figures: { worstMs } }
      }
    }
  }
  return { execs, figures: { worstMs } }
}

/** Making a valid request costs as much as bending it twenty times. */
const BENT_TIMES = 20

function* bentBodies(
  body: Uint8Array,
  value: Uint8Array,
  random: SeededRandom,
): Generator<Uint8Array> {
  yield body
  const message = wildOf(body)
  for (let times = 0; times < BENT_TIMES; times += 1) {
    const bent = encodeWild(bend(message, random))
    yield bent
    yield bendBody(bent, random)
    yield splice(body, value, random)
  }
}

/** Bodies that have run a new part of the code are bent further. */
async function guided(options: Watched): Promise<Tried> {
  const random = new SeededRandom(options.seed, 'guided')
  const clock = new Stopwatch(options.seconds)
  const corpus = [...GOLDEN_BODIES, ...found(), ...regressions()]
  const seeds = corpus.length
  const coverage = new Coverage()
  let execs = 0
  let worstMs = 0
  try {
    for (const body of corpus) faultOfDecoding(body)
    coverage.newEdges()
    while (!clock.isOver) {
      const bodies = Array.from({ length: BATCH }, () => bentOf(corpus, random))
      for (const body of bodies) {
        execs += 1
        const failure = await judgeBody(body, options)
        if (failure !== undefined) return { execs, figures: {}, failure }
      }
      // Asking costs a millisecond: who it was is asked only when it was somebody.
      const edges = coverage.newEdges()
      const first = edges.size === 0 ? [] : firstTo(coverage, edges, bodies)
      worstMs = Math.max(worstMs, ...first.map((body) => decodeCpuMs(body)))
      corpus.push(...first)
    }
    const figures = { edges: coverage.edgeCount, corpus: corpus.length, worstMs }
    return { execs, figures, found: corpus.slice(seeds) }
  } finally {
    coverage.stop()
  }
}

/** Questions that may be asked of one batch: each stops the world for milliseconds. */
const QUESTIONS_MAX = 24

/** Bodies that run these parts, one for each part, as far as asking goes: by halves. */
function firstTo(
  coverage: Coverage,
  edges: Set<string>,
  bodies: readonly Uint8Array[],
): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  const groups = [bodies]
  for (let questions = 0; questions < QUESTIONS_MAX && edges.size > 0; questions += 1) {
    // The newest first, so that the questions lead to somebody before they are used up.
    const group = groups.pop()
    if (group === undefined) break
    for (const body of group) faultOfDecoding(body)
    const ran = coverage.ranOf(edges)
    if (ran.length === 0) continue
    if (group.length > 1) {
      const half = Math.ceil(group.length / 2)
      groups.push(group.slice(half), group.slice(0, half))
      continue
    }
    found.push(...group)
    for (const edge of ran) edges.delete(edge)
  }
  return found
}

function bentOf(corpus: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  let body: Uint8Array = random.pick(corpus)
  for (let times = random.between(1, 4); times > 0; times -= 1) {
    body = random.happens(0.2) ? splice(body, random.pick(corpus), random) : bendBody(body, random)
  }
  return body.length === 0 ? Uint8Array.of(0xc0) : body
}

const STORY_STEPS = 150

/** Several connections to a real server, with ids, tokens and cursors of earlier answers. */
async function stories(options: Watched): Promise<Tried> {
  const clock = new Stopwatch(options.seconds)
  const tally = { refused: 0, accepted: 0, stories: 0 }
  let execs = 0
  for (const path of storyPaths()) {
    const failure = await play(parseStory(readFileSync(path, 'utf8')))
    if (failure !== undefined) return { execs, figures: tally, failure: `${path}: ${failure}` }
  }
  const frames = GOLDEN_BODIES.map((body) => frameOf(body))
  while (!clock.isOver) {
    tally.stories += 1
    const random = new SeededRandom(options.seed + tally.stories - 1, 'story')
    const maker = new StoryMaker(random, frames)
    const runner = await StoryRunner.start(options.watch)
    const steps: Step[] = []
    try {
      for (let count = 0; count < STORY_STEPS && !clock.isOver; count += 1) {
        const step = maker.next()
        steps.push(step)
        execs += 1
        const { answers } = await runner.run(step)
        maker.learn(answers)
      }
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      // What is slow every time is slow.
      if (said.startsWith(SLOW) && (await play(steps)) === undefined) continue
      return { execs, figures: tally, failure: await reportStory(steps, said, options) }
    } finally {
      tally.refused += runner.refusedCount
      tally.accepted += runner.acceptedCount
      await runner.stop()
    }
  }
  return { execs, figures: tally }
}

async function reportStory(
  steps: readonly Step[],
  said: string,
  { isKept }: FuzzOptions,
): Promise<string> {
  // The kind of the law, without what differs from one input to the next.
  const law = said.slice(0, 20)
  const fails = async (some: readonly Step[]): Promise<boolean> =>
    (await play(some))?.startsWith(law) ?? false
  const least = (await fails(steps)) ? await minimised(steps, fails, 200) : steps
  const text = storyText(least)
  const where = isKept ? ` kept as ${keepStory(text)}` : ''
  return `${said}; ${least.length} steps${where}:\n${text}`
}

/** Why this body breaks a law, with the smallest that does; undefined if it breaks none. */
async function judgeBody(body: Uint8Array, options: Watched): Promise<string | undefined> {
  const { isKept, watch } = options
  const fault = faultOf(body, watch)
  const said = fault ?? (watch.lastCpuMs > HANG_CPU_MS ? slownessOf(body) : undefined)
  if (said === undefined) return undefined
  const least = await minimised([...body], (bytes) => {
    const some = Uint8Array.from(bytes)
    return (faultOf(some) ?? slownessOf(some)) !== undefined
  })
  const small = Uint8Array.from(least)
  const hex = isKept ? keepRegression(small) : Buffer.from(small).toString('hex')
  return `${said}: ${hex}`
}

function faultOf(body: Uint8Array, watch?: InputWatch): string | undefined {
  const fault = faultOfDecoding(body, watch)
  if (fault !== undefined || body.length < 64 * 1024) return fault
  return slownessOf(body)
}

/** What is slow every time is slow. */
function slownessOf(body: Uint8Array): string | undefined {
  const cpuMs = decodeCpuMs(body)
  return cpuMs > DECODE_MS_MAX ? `decoding takes ${cpuMs} ms` : undefined
}

class Stopwatch {
  readonly #endMs: number

  constructor(seconds: number) {
    this.#endMs = performance.now() + seconds * 1_000
  }

  get isOver(): boolean {
    return performance.now() >= this.#endMs
  }
}
