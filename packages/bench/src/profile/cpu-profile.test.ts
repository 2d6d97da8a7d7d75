// Reading CPU profiles of Node.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UsageError } from '../run/usage-error.ts'
import {
  type CpuProfile,
  fileShares,
  functionShares,
  idlePercent,
  parseCpuProfile,
} from './cpu-profile.ts'
import { ProfileFolder } from './profile-report.ts'

const ROOT = 'file:///somewhere/packages/broker/dist'

const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: { functionName: '(idle)', url: '', lineNumber: -1 } },
    { id: 2, callFrame: { functionName: 'step', url: `${ROOT}/engine.js`, lineNumber: 9 } },
    { id: 3, callFrame: { functionName: '', url: `${ROOT}/engine.js`, lineNumber: 19 } },
    { id: 4, callFrame: { functionName: 'step', url: `${ROOT}/engine.js`, lineNumber: 9 } },
  ],
  samples: [1, 2, 3, 4, 1],
  timeDeltas: [500, 6_000, 1_000, 2_000, 2_000],
}

describe('a CPU profile', () => {
  it('gives each function the time until the next sample, wherever it was called from', () => {
    expect(functionShares([PROFILE])).toEqual([
      { name: 'step packages/broker/dist/engine.js:10', selfMs: 3, percent: 60 },
      { name: '(anonymous) packages/broker/dist/engine.js:20', selfMs: 2, percent: 40 },
    ])
  })

  it('sums them by file, and several profiles together', () => {
    expect(fileShares([PROFILE, PROFILE])).toEqual([
      { name: 'packages/broker/dist/engine.js', selfMs: 10, percent: 100 },
    ])
  })

  it('keeps idle time apart', () => {
    expect(idlePercent([PROFILE])).toBeCloseTo(54.5, 1)
    expect(idlePercent([])).toBe(0)
  })

  it('names files of dependencies by their package', () => {
    const url = 'file:///x/node_modules/.pnpm/msgpackr@2.1.3/node_modules/msgpackr/unpack.js'
    const node = { id: 1, callFrame: { functionName: 'read', url, lineNumber: 0 } }

    const [share] = fileShares([{ nodes: [node], samples: [1, 1], timeDeltas: [0, 5] }])

    expect(share?.name).toBe('node_modules/msgpackr/unpack.js')
  })

  it('is refused if it is none', () => {
    expect(() => parseCpuProfile('{}', 'a.json')).toThrow('a.json is no CPU profile')
    expect(() => parseCpuProfile('no json', 'a.json')).toThrow(UsageError)
  })

  it('is read as Node writes it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tq-bench-test-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const script = join(directory, 'busy.cjs')
    writeFileSync(
      script,
      'function busyLoop() { const end = Date.now() + 200; while (Date.now() < end); }\nbusyLoop()\n',
    )
    const folder = new ProfileFolder(join(directory, 'profiles'))

    execFileSync(process.execPath, [...folder.nodeFlags, script])

    expect(folder.report()).toMatch(/\| *\d\d\.\d.*\| busyLoop .*busy\.cjs:1 *\|/)
  })
})
