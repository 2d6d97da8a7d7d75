// The last line of a run of the fuzzer.

import { describe, expect, it } from 'vitest'
import { InputWatch } from './input-watch.ts'
import { type FuzzFindings, verdictLine } from './verdict.ts'

const CLEAN: FuzzFindings = {
  inputs: 12_345,
  seconds: 60.4,
  longestCpuMs: 24.2,
  longestWallMs: 310,
  failures: [],
}

describe('the verdict of the fuzzer', () => {
  it('says what was looked for, and that nothing was found', () => {
    expect(verdictLine(CLEAN)).toBe(
      'fuzz: 12345 inputs in 60 s, 0 crashes, 0 hangs over 100 ms of CPU each time (longest once 24 ms of CPU, 310 ms by the clock), 0 state changes, 0 other violations',
    )
  })

  it('counts what broke by its kind', () => {
    const failures = [
      'it crashed: boom',
      'it throws TypeError: null',
      'decoding takes 51 ms: 9400',
      'requests 7 were not answered; 3 steps',
      'a refused step has changed the state: …',
      'it takes what the protocol does not allow: 9400',
    ]

    expect(verdictLine({ ...CLEAN, failures })).toMatch(
      /2 crashes, 2 hangs .*, 1 state change, 1 other violation$/,
    )
  })
})

describe('the watch over inputs', () => {
  it('tells work of this process from waiting for its turn', () => {
    const watch = new InputWatch()

    watch.begin()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    const slept = watch.end()
    watch.begin()
    const untilMs = performance.now() + 200
    while (performance.now() < untilMs);
    const worked = watch.end()

    expect(slept.wallMs).toBeGreaterThan(190)
    expect(slept.cpuMs).toBeLessThan(100)
    expect(worked.cpuMs).toBeGreaterThan(slept.cpuMs)
    expect(watch).toMatchObject({ inputs: 2, longestCpuMs: worked.cpuMs })
  })
})
