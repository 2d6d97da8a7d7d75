// Reading what the kernel counts.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cpuUsOf, diskBytesOf, machineCpuUs, memoryBytesOf } from './process-usage.ts'

describe.skipIf(process.platform !== 'linux')('what a process uses', () => {
  it('is what the kernel counts of it', () => {
    const { user, system } = process.cpuUsage()

    expect(Math.abs(cpuUsOf(process.pid) - user - system)).toBeLessThan(200_000)
    expect(memoryBytesOf(process.pid)).toBeGreaterThan(10_000_000)
    expect(machineCpuUs()).toBeGreaterThan(cpuUsOf(process.pid))
  })

  it('on disk is the blocks of all files, in folders too', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tq-bench-test-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    mkdirSync(join(directory, 'folder'))
    writeFileSync(join(directory, 'one'), Buffer.alloc(10_000, 1))
    writeFileSync(join(directory, 'folder', 'two'), Buffer.alloc(50_000, 1))

    expect(diskBytesOf(directory)).toBeGreaterThanOrEqual(60_000)
    expect(diskBytesOf(directory)).toBeLessThan(80_000)
  })
})
