// Packets are dropped between two networks: the broker in one, a worker and a producer in the other.

import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodePayload } from '@tq/core'
import { eventually } from '../end-to-end/eventually.ts'
import { aTask } from '../end-to-end/task-spec.ts'
import { TestProcess } from '../end-to-end/test-process.ts'
import { type Held, heldOf, type WireClient } from '../end-to-end/wire-client.ts'
import { RigBroker } from '../rig-broker.ts'
import { FarNetwork } from './far-network.ts'
import type { Way } from './line-proxy.ts'
import { LEASE_MS, STORY_FLAGS } from './story.ts'

export interface FarCase {
  readonly name: string
  readonly ways: readonly Way[]
}

export const FAR_CASES: readonly FarCase[] = [
  { name: 'packets are dropped both ways', ways: ['up', 'down'] },
  { name: 'packets to the broker are dropped', ways: ['up'] },
  { name: 'packets from the broker are dropped', ways: ['down'] },
]

const OUTPOST = fileURLToPath(new URL('outpost.mjs', import.meta.url))
const QUEUE = 'far'
const SLACK_MS = 2_500
/** TCP has backed off by then, and sends again only after as long as the cut took. */
const BACK_MS = 20_000
/** Until something that must happen is taken for never. */
const HEARD_MS = 40_000

/** @returns What was not as it should be. */
export async function playFarCase(far: FarCase, holdMs: number): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-far-'))
  const network = new FarNetwork()
  const story = new FarStory(far, network, directory)
  try {
    await story.play(holdMs)
  } catch (error) {
    story.law(false, () => (error instanceof Error ? error.message : String(error)))
  } finally {
    await story.end()
    network.remove()
    await rm(directory, { recursive: true, force: true })
  }
  return story.violations
}

class FarStory {
  readonly violations: string[] = []
  readonly #case: FarCase
  readonly #network: FarNetwork
  readonly #directory: string
  readonly #broker: RigBroker
  readonly #token = randomBytes(24).toString('base64url')
  #outpost: TestProcess | undefined
  readonly #wires: WireClient[] = []

  constructor(far: FarCase, network: FarNetwork, directory: string) {
    this.#case = far
    this.#network = network
    this.#directory = directory
    const flags = [
      `--host=${network.nearAddress}`,
      '--allow-plaintext=true',
      `--config=${join(directory, 'config.yml')}`,
    ]
    this.#broker = new RigBroker(join(directory, 'data'), [...STORY_FLAGS, ...flags])
  }

  async play(holdMs: number): Promise<void> {
    const sha256 = createHash('sha256').update(this.#token).digest('hex')
    const config = `auth:\n  tokens:\n    - name: far\n      sha256: ${sha256}\n`
    await writeFile(join(this.#directory, 'config.yml'), config)
    await this.#broker.start()
    const outpost = this.#startOutpost()
    await hear(outpost, 'ready')
    const wire = await this.#connect()
    const task = aTask(QUEUE, { payload: { isLong: true } })
    await wire.enqueue(QUEUE, [task])
    await hear(outpost, 'begun')

    const cutMs = machineMs()
    this.#network.cut(...this.#case.ways)
    const successor = await this.#seeHandOver(wire, outpost, cutMs)
    await passed(cutMs + holdMs - machineMs())
    this.#network.heal()

    const healedMs = machineMs()
    const own = aTask(`${QUEUE}-own`, { payload: { isLong: false } })
    await wire.enqueue(`${QUEUE}-own`, [own])
    await hear(outpost, 'own')
    const tookMs = Math.round(machineMs() - healedMs)
    this.law(tookMs <= BACK_MS, () => `back at work ${tookMs} ms after the network was whole`)
    const completed = await wire.complete(successor, encodePayload('by the successor'))
    this.law(completed.ok === 1, () => 'I2: the holder of a lease could not complete its task')
    const { losses, failures } = await wire.task(successor.id)
    this.law(losses === 1 && failures === 0, () => `I13: ${losses} losses, ${failures} failures`)
    await this.#seeProduced(wire, outpost)
  }

  law(holds: boolean, told: () => string): void {
    if (!holds) this.violations.push(`${this.#case.name}: ${told()}`)
  }

  async end(): Promise<void> {
    for (const wire of this.#wires) wire.destroy()
    await this.#outpost?.kill()
    await this.#broker.kill()
  }

  #startOutpost(): TestProcess {
    const { host, port } = this.#broker.address
    this.#outpost = new TestProcess('outpost', [`${host}:${port}`, QUEUE, String(LEASE_MS)], {
      script: OUTPOST,
      inside: this.#network.inside,
      env: { TQ_TOKEN: this.#token },
    })
    return this.#outpost
  }

  /** The far worker stops by itself before the near one is given its task. */
  async #seeHandOver(wire: WireClient, outpost: TestProcess, cutMs: number): Promise<Held> {
    const { tasks } = await wire.claim(QUEUE, { waitMs: 20_000, leaseMs: 600_000 })
    const againMs = machineMs()
    const held = heldOf(tasks[0])
    const stoppedMs = (await hear(outpost, 'stopped'))['atMs'] as number
    this.law(stoppedMs < againMs, () => {
      return `I2: the far worker stopped ${Math.round(stoppedMs - againMs)} ms after the next began`
    })
    const tookMs = Math.round(againMs - cutMs)
    // If the broker still hears the worker, the lease is renewed until the worker has given up.
    const isHeard = !this.#case.ways.includes('up')
    const boundMs = (isHeard ? 2 : 1) * LEASE_MS + SLACK_MS
    this.law(
      tookMs <= boundMs,
      () => `I12: leased again ${tookMs} ms after the cut, over ${boundMs}`,
    )
    return held
  }

  /** Whatever was enqueued over the broken line is there once. */
  async #seeProduced(wire: WireClient, outpost: TestProcess): Promise<void> {
    outpost.signal('SIGTERM')
    const ids = (await hear(outpost, 'produced'))['ids'] as readonly string[]
    const { queued } = await wire.stats(`${QUEUE}-produced`)
    const isEach = new Set(ids).size === ids.length && ids.length > 0
    this.law(isEach && queued === ids.length, () => `I1, I24: ${queued} of ${ids.length} produced`)
  }

  async #connect(): Promise<WireClient> {
    const wire = await this.#broker.connect({ token: this.#token })
    this.#wires.push(wire)
    return wire
  }
}

/** What the outpost tells of this event. @throws if it does not, for long. */
function hear(outpost: TestProcess, event: string): ReturnType<TestProcess['event']> {
  return eventually(
    () => {
      if (outpost.output.includes(`"event":"${event}"`)) return outpost.event(event)
      throw new Error(`the outpost does not tell of "${event}", but says:\n${outpost.output}`)
    },
    { deadlineMs: HEARD_MS },
  )
}

/** As the outpost says it. */
function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
