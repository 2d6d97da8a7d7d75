// Scenarios of what is kept: memory and disk of waiting tasks, and how long a restart takes with them.

import type { Scenario } from './scenario.ts'

export const memoryScenario: Scenario = {
  summary: 'memory (PSS) and disk that a waiting task takes',
  isQuick: true,
  variants: () => [{ name: 'plain' }],
  measure: async (stage) => {
    const { broker, settings } = stage
    const beforeBytes = broker.memoryBytes()
    const diskBeforeBytes = broker.diskBytes()
    await stage.fill(settings.tasks)
    const afterBytes = broker.memoryBytes()
    return {
      figures: {
        memoryBytesPerTask: (afterBytes - beforeBytes) / settings.tasks,
        diskBytesPerTask: (broker.diskBytes() - diskBeforeBytes) / settings.tasks,
        beforeMiB: beforeBytes / 2 ** 20,
        afterMiB: afterBytes / 2 ** 20,
      },
    }
  },
}

export const recoveryScenario: Scenario = {
  summary: 'SIGKILL with waiting tasks: to the answer to a ping, and to the first claim',
  isQuick: true,
  variants: () => [{ name: 'plain' }],
  measure: async (stage) => {
    const { broker, settings, queues } = stage
    await stage.fill(settings.tasks)
    await broker.kill('SIGKILL')
    const sinceMs = performance.now()
    const listeningMs = await broker.start()
    const claimed = await stage.ask((client) =>
      client.claim(queues.slice(0, 1), { waitMs: 10_000 }),
    )
    const firstClaimMs = performance.now() - sinceMs
    if (claimed.tasks.length === 0) throw new Error('no task could be claimed after the restart')
    const afterMiB = broker.memoryBytes() / 2 ** 20
    return { figures: { listeningMs, firstClaimMs, afterMiB } }
  },
}
