// Who belongs to a process, and what they have used.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { processTree, treeCpuUs } from './process-tree.ts'

it('a tree holds the children of children, and their CPU time after they have ended', async () => {
  // The inner shell computes and ends; the outer one says so, and waits to be killed.
  const script = 'sh -c "i=0; while [ \\$i -lt 60000 ]; do i=\\$((i+1)); done"; echo done; sleep 60'
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  const root = child.pid ?? 0
  try {
    expect(processTree(process.pid)).toContain(root)
    await once(child.stdout, 'data')
    expect(treeCpuUs(root)).toBeGreaterThan(0)
  } finally {
    const tree = processTree(root)
    for (const pid of tree) process.kill(pid, 'SIGKILL')
    await once(child, 'exit')
    expect(tree.length).toBeGreaterThan(0)
    expect(processTree(root)).toEqual([])
  }
})
