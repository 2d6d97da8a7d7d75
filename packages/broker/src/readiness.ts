// Whether the broker should get new work, and if not, why.

import type { BrokerConfig } from './config/config.ts'
import type { DiskWatch } from './disk-watch.ts'
import type { CommitLoop } from './pipeline/commit-loop.ts'

export interface ReadinessParts {
  readonly limits: Pick<BrokerConfig['limits'], 'commitMsMax' | 'freeBytesMin'>
  readonly commits: Pick<CommitLoop, 'flyingMs'>
  readonly disk: Pick<DiskWatch, 'freeBytes'>
}

export class Readiness {
  readonly #parts: ReadinessParts
  #phase: 'starting' | 'running' | 'stopping' = 'starting'

  constructor(parts: ReadinessParts) {
    this.#parts = parts
  }

  enter(phase: 'running' | 'stopping'): void {
    this.#phase = phase
  }

  /** Empty if the broker is ready. */
  reasons(): string[] {
    const { limits, commits, disk } = this.#parts
    const reasons: string[] = []
    if (this.#phase !== 'running') reasons.push(`the broker is ${this.#phase}`)
    if (commits.flyingMs > limits.commitMsMax) {
      reasons.push(`a commit has taken ${Math.round(commits.flyingMs)} ms so far`)
    }
    if (disk.freeBytes < limits.freeBytesMin) {
      reasons.push(
        `${disk.freeBytes} bytes are free on the disk, new tasks need ${limits.freeBytesMin}`,
      )
    }
    return reasons
  }
}
