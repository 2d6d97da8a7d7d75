// A process is known again by more than its pid.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { isRunning, thisProcess } from './process-identity.ts'

const PATIENCE = { interval: 5, timeout: 20_000 }

describe('isRunning', () => {
  it('knows this process, but not another one of its pid', async () => {
    const self = await thisProcess()

    expect(await isRunning(self)).toBe(true)
    expect(await isRunning({ ...self, startTime: '17' })).toBe(false)
    expect(await isRunning({ ...self, bootId: 'another' })).toBe(false)
    expect(await isRunning({ ...self, pidNamespace: 'another' })).toBe(false)
  })

  it('asks by signal where start times are not told', async () => {
    const self = { ...(await thisProcess()), startTime: '' }
    const child = spawn('true')
    await once(child, 'exit')

    expect(await isRunning(self)).toBe(true)
    expect(await isRunning({ ...self, pid: child.pid ?? 0 })).toBe(false)
  })

  it('counts a zombie as ended', async () => {
    // The shell starts a process, then becomes one that never asks for the end of it.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
    const [output] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(output.toString())
    await expect.poll(() => readFile(`/proc/${parent.pid}/comm`, 'utf8'), PATIENCE).toBe('sleep\n')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8'), PATIENCE).toContain(') Z ')
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''

    expect(await isRunning({ ...(await thisProcess()), pid, startTime })).toBe(false)

    parent.kill()
    await once(parent, 'exit')
  })
})
