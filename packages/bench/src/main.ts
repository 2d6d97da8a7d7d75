// The bench: phases against a fresh broker each, as a table and as JSON.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { TqClient } from '@tq/client'
import { BrokerProcess } from './broker-process.ts'
import { LoadChild } from './load/load-child.ts'
import { machineFacts } from './machine.ts'
import { connectLoad, type Figure, type PhaseInput, PHASES, QUEUE } from './phase.ts'

const DURABILITY = 'every commit synced before its replies leave'

const { values } = parseArgs({
  options: {
    phase: { type: 'string', default: Object.keys(PHASES).join(',') },
    tasks: { type: 'string', default: '50000' },
    runs: { type: 'string', default: '1' },
    payload: { type: 'string', default: '200' },
    /** Kept terminal tasks of the queue; 0 keeps nothing, as the peers do. */
    retention: { type: 'string', default: '0' },
    out: { type: 'string' },
    /** Folder for CPU profiles of the broker; what is profiled is not to be quoted as speed. */
    profile: { type: 'string' },
  },
})

async function main(): Promise<void> {
  const machine = machineFacts()
  const tasks = Number(values.tasks)
  const results: Figure[] = []
  for (const name of values.phase.split(',')) {
    const phase = PHASES[name]
    if (phase === undefined) {
      const known = Object.keys(PHASES).join(', ')
      throw new Error(`no phase "${name}"; there are ${known}`)
    }
    for (let run = 0; run < Number(values.runs); run += 1) {
      results.push(...(await onFreshBroker(tasks, phase)))
    }
  }
  const settings = {
    durability: DURABILITY,
    payloadBytes: Number(values.payload),
    retention: Number(values.retention),
  }
  print(machine, settings, results)
  if (values.out !== undefined) {
    writeFileSync(values.out, `${JSON.stringify({ machine, settings, results }, null, 2)}\n`)
  }
}

async function onFreshBroker(
  tasks: number,
  phase: (input: PhaseInput) => Promise<Figure[]>,
): Promise<Figure[]> {
  const profile = values.profile
  const nodeFlags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const broker = await BrokerProcess.make(nodeFlags)
  const producer = new LoadChild()
  const worker = new LoadChild()
  try {
    await broker.start()
    const client = new TqClient({ address: `127.0.0.1:${broker.port}` })
    const retentionCount = Number(values.retention)
    await client.queueSet(QUEUE, { retentionCount })
    await client.close()
    await connectLoad({ broker, producer, worker })
    const input = { broker, producer, worker, payloadBytes: Number(values.payload) }
    await warmUp(input)
    return await phase({ ...input, tasks })
  } finally {
    await Promise.all([producer.stop(), worker.stop()])
    await broker.remove()
  }
}

/** Lets the compilers of all three processes do their work before anything is timed. */
async function warmUp(input: Omit<PhaseInput, 'tasks'>): Promise<void> {
  const tasks = Math.max(20_000, Math.min(100_000, Number(values.tasks)))
  for (let round = 0; round < 2; round += 1) await PHASES['mixed']?.({ ...input, tasks })
}

function print(
  machine: ReturnType<typeof machineFacts>,
  settings: Readonly<Record<string, string | number>>,
  results: readonly Figure[],
): void {
  const facts = { ...machine, ...settings }
  for (const [name, value] of Object.entries(facts)) process.stdout.write(`${name}: ${value}\n`)
  process.stdout.write('\n| phase | tasks | figures |\n| --- | --- | --- |\n')
  for (const { phase, tasks, figures } of results) {
    const cells = Object.entries(figures).map(([name, value]) => `${name} ${rounded(value)}`)
    process.stdout.write(`| ${phase} | ${tasks} | ${cells.join(' · ')} |\n`)
  }
}

function rounded(value: number): string {
  return value >= 1_000 ? value.toFixed(0) : value >= 100 ? value.toFixed(1) : value.toFixed(2)
}

await main()
