// A network namespace at the far end of a virtual cable, whose packets can be dropped; needs root on Linux.

import { spawnSync } from 'node:child_process'
import type { Way } from './line-proxy.ts'

/** Addresses for documentation (RFC 5737): nobody else has them. Four of them make a cable. */
const NETWORK = '198.51.100'
const CABLES_MAX = 60

let cableCount = 0
/** What still stands, so that nothing is left even if the test runner gives up in the middle. */
const standing = new Set<FarNetwork>()

process.once('exit', () => {
  for (const network of standing) network.remove()
})

export class FarNetwork {
  /** Where a broker on the near end listens. */
  readonly nearAddress: string
  readonly #name: string
  readonly #near: string
  readonly #far: string
  readonly #farAddress: string

  /** Why there is none here; undefined if there is. */
  static missing(): string | undefined {
    if (process.platform !== 'linux') return 'network namespaces need Linux'
    if (process.getuid?.() !== 0) return 'network namespaces need root'
    const name = `tq-probe-${process.pid}`
    const add = `ip netns add ${name} && ip netns exec ${name} iptables -L OUTPUT`
    const tried = attempt('sh', '-c', `${add}; code=$?; ip netns del ${name}; exit $code`)
    return tried.status === 0 ? undefined : `no network namespaces: ${tried.stderr.trim()}`
  }

  constructor() {
    const cable = cableCount % CABLES_MAX
    cableCount += 1
    const suffix = `${process.pid % 100_000}-${cable}`
    this.#name = `tq-far-${suffix}`
    this.#near = `tqn-${suffix}`
    this.#far = `tqf-${suffix}`
    this.nearAddress = `${NETWORK}.${4 * cable + 1}`
    this.#farAddress = `${NETWORK}.${4 * cable + 2}`
    ip('netns', 'add', this.#name)
    standing.add(this)
    try {
      ip('link', 'add', this.#near, 'type', 'veth', 'peer', 'name', this.#far)
      ip('link', 'set', this.#far, 'netns', this.#name)
      ip('addr', 'add', `${this.nearAddress}/30`, 'dev', this.#near)
      ip('link', 'set', this.#near, 'up')
      this.#inside('ip', 'addr', 'add', `${this.#farAddress}/30`, 'dev', this.#far)
      this.#inside('ip', 'link', 'set', this.#far, 'up')
    } catch (error) {
      this.remove()
      throw error
    }
  }

  /** What to put before a command, to run it at the far end. */
  get inside(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name]
  }

  /** Drops every packet of this way, seen from the far end, without a sign to anybody. */
  cut(...ways: readonly Way[]): void {
    for (const way of ways) {
      const chain = way === 'up' ? ['OUTPUT', '-o'] : ['INPUT', '-i']
      this.#inside('iptables', '-A', ...chain, this.#far, '-j', 'DROP')
    }
  }

  heal(): void {
    this.#inside('iptables', '-F')
  }

  /** Takes the cable with it. Processes at the far end must have ended. */
  remove(): void {
    standing.delete(this)
    attempt('ip', 'link', 'del', this.#near)
    attempt('ip', 'netns', 'del', this.#name)
  }

  #inside(...command: readonly string[]): void {
    ip('netns', 'exec', this.#name, ...command)
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = attempt('ip', ...args)
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}

function attempt(
  command: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(command, args, { encoding: 'utf8' })
}
