// All scenarios by name, in the order in which the help lists them.

import { backlogScenario, backlogSweepScenario } from './backlog.ts'
import { delaysScenario, latencyScenario, rateScenario } from './latency.ts'
import type { Scenario } from './scenario.ts'
import { memoryScenario, recoveryScenario } from './state-size.ts'
import { steadyScenario } from './steady.ts'
import {
  connectionsScenario,
  drainScenario,
  enqueueScenario,
  mixedScenario,
  payloadScenario,
  prioritiesScenario,
  queuesScenario,
  retentionScenario,
  retriesScenario,
} from './throughput.ts'

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  enqueue: enqueueScenario,
  drain: drainScenario,
  mixed: mixedScenario,
  latency: latencyScenario,
  rate: rateScenario,
  memory: memoryScenario,
  recovery: recoveryScenario,
  priorities: prioritiesScenario,
  backlog: backlogScenario,
  'backlog-sweep': backlogSweepScenario,
  payload: payloadScenario,
  connections: connectionsScenario,
  queues: queuesScenario,
  delays: delaysScenario,
  retries: retriesScenario,
  retention: retentionScenario,
  steady: steadyScenario,
}
