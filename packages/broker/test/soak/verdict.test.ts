// T13: what counts as a leak.

import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../simulation/seeded-random.ts'
import type { Sample } from './sample.ts'
import {
  soakVerdict,
  type Verdict,
  VERDICT_SECONDS_MIN,
  verdictsOf,
  verdictTable,
} from './verdict.ts'

const MIB = 2 ** 20
const STILL: Omit<Sample, 'atSeconds'> = {
  heapUsed: 40 * MIB,
  heapTotal: 60 * MIB,
  external: 8 * MIB,
  arrayBuffers: 7 * MIB,
  rssBytes: 200 * MIB,
  pssBytes: 180 * MIB,
  anonymousBytes: 150 * MIB,
  descriptors: 40,
  threads: 12,
  cpuSeconds: 0,
  storeFiles: 20,
  storeBytes: 30 * MIB,
  loopP999Ms: 10,
  loopMaxMs: 20,
  tasks: {},
  connections: 9,
  parkedClaims: 2,
  stalls: 0,
  commitP50Seconds: 0.001,
  commitP99Seconds: 0.005,
  enqueuedPerSecond: 1_000,
  completedPerSecond: 1_000,
  brokerCpuShare: 0.5,
  loadCpuShare: 0.1,
  load: {
    enqueued: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    visits: 0,
    refusals: {},
    ackP50Ms: 1,
    ackP99Ms: 2,
    ackMaxMs: 3,
    cpuSeconds: 0,
  },
}

/** Two hours, a sample each 30 s. */
function samplesOf(change: (hours: number) => Partial<Sample>): readonly Sample[] {
  return Array.from({ length: 240 }, (_, index): Sample => {
    return { ...STILL, atSeconds: index * 30, ...change(index / 120) }
  })
}

function findingsOf(change: (hours: number) => Partial<Sample>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    verdictsOf(samplesOf(change)).map(({ measure, finding }) => [measure, finding] as const),
  )
}

describe('the verdict of a soak', () => {
  it('is steady for what stands still', () => {
    expect(new Set(Object.values(findingsOf(() => ({}))))).toEqual(new Set(['steady']))
  })

  it('names a heap that grows by 3 MiB an hour below noise of 2 MiB', () => {
    const random = new SeededRandom(3, 'heap')
    const findings = findingsOf((hours) => {
      return { heapUsed: (40 + 3 * hours + 2 * random.chance()) * MIB }
    })

    expect(findings).toMatchObject({ 'heap used': 'growing', RSS: 'steady' })
  })

  it('names a descriptor that is lost every ten minutes', () => {
    const findings = findingsOf((hours) => ({ descriptors: 40 + Math.floor(hours * 6) }))

    expect(findings).toMatchObject({ descriptors: 'growing' })
  })

  it('lets what fills at the beginning fill', () => {
    const findings = findingsOf((hours) => ({ heapUsed: Math.min(40, 200 * hours) * MIB }))

    expect(findings).toMatchObject({ 'heap used': 'steady' })
  })

  it('does not call steady what swings so much that growth would hide in it', () => {
    const findings = findingsOf((hours) => {
      return { rssBytes: (200 + 2 * hours + 30 * Math.sin(2 * Math.PI * hours * 1.5)) * MIB }
    })

    expect(findings).toMatchObject({ RSS: 'unclear' })
  })

  it('is told in a table with a line for each measure', () => {
    const lines = verdictTable(verdictsOf([{ ...STILL, atSeconds: 0 }])).split('\n')

    expect(lines[0]).toMatch(/measure .* finding/)
    expect(lines).toHaveLength(15)
  })
})

describe('the verdict on a soak as a whole', () => {
  const [first] = verdictsOf(samplesOf(() => ({})))
  const found = (finding: Verdict['finding']): Verdict => {
    return { ...(first as Verdict), measure: finding, finding }
  }
  const [still, growing, unclear] = [found('steady'), found('growing'), found('unclear')]

  it('is none, and no pass, if it was too short', () => {
    for (const some of [[still], [growing], [unclear]]) {
      expect(soakVerdict(60, some)).toEqual({
        kind: 'none',
        text: 'no verdict: 60 s are too short for one, it needs at least 50 minutes (SECONDS=3000)',
      })
    }
  })

  it('is none if nothing is clear', () => {
    expect(soakVerdict(VERDICT_SECONDS_MIN, [unclear]).kind).toBe('none')
  })

  it('names what grows, and what is unclear beside what is steady', () => {
    expect(soakVerdict(7_200, [still, growing, unclear])).toEqual({
      kind: 'growing',
      text: 'growing: growing',
    })
    expect(soakVerdict(7_200, [still, unclear])).toEqual({
      kind: 'steady',
      text: 'nothing grows; no verdict on unclear: the noise is too great',
    })
  })
})
