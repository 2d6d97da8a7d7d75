// Several processes that run seeds: each asks for the next one when it is done with the last.

import { type ChildProcess, fork } from 'node:child_process'
import type { Plan } from './plan.ts'
import type { SometimesPoint } from './sometimes.ts'

/** What a process is sent. */
export interface Errand {
  readonly plan: Plan
  /** Run it twice, and compare. */
  readonly isDouble: boolean
  /** Time to make a failing plan smaller. */
  readonly shrinkMs: number
}

/** What it answers. */
export interface Outcome {
  /** The one that was sent, or a smaller one that fails as well. */
  readonly plan: Plan
  /** It was run twice, and had the same hash. */
  readonly isRepeated: boolean
  readonly steps: number
  readonly simulatedMs: number
  readonly points: readonly (readonly [SometimesPoint, number])[]
  readonly verbs: readonly (readonly [string, number])[]
  readonly failure: { readonly law: string; readonly text: string } | undefined
}

export interface FleetParts {
  /** The script of the processes, with nothing to be compiled. */
  readonly script: string
  readonly jobs: number
  /** The next one; undefined if there is no more. */
  readonly next: () => Errand | undefined
  readonly onOutcome: (outcome: Outcome) => void
}

export class Fleet {
  readonly #parts: FleetParts
  readonly #children = new Set<ChildProcess>()
  #isStopped = false

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  /** Resolves when all is done, or stopped. */
  async run(): Promise<void> {
    const jobs = Array.from({ length: this.#parts.jobs }, () => this.#job())
    await Promise.all(jobs)
  }

  /** Ends all processes now. */
  stop(): void {
    this.#isStopped = true
    for (const child of this.#children) child.kill('SIGKILL')
  }

  async #job(): Promise<void> {
    const { script, next, onOutcome } = this.#parts
    const child = fork(script, { execArgv: ['--enable-source-maps'] })
    this.#children.add(child)
    await new Promise<void>((resolve, reject) => {
      let errand: Errand | undefined
      const goOn = (): void => {
        errand = this.#isStopped ? undefined : next()
        if (errand === undefined) child.kill()
        else child.send(errand)
      }
      child.on('message', (outcome: Outcome) => {
        onOutcome(outcome)
        goOn()
      })
      child.on('exit', (code, signal) => {
        this.#children.delete(child)
        if (errand === undefined || this.#isStopped) return resolve()
        const how = signal ?? `code ${code}`
        reject(new Error(`seed ${errand.plan.seed}: its process ended by ${how}`))
      })
      goOn()
    })
  }
}
