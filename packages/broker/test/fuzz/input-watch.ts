// How long inputs take: by the process's own CPU time, and by the clock, which counts what else the machine does.

/** An input that takes this much CPU, again and again, hangs a broker. In ms. */
export const HANG_CPU_MS = 100

interface Took {
  readonly cpuMs: number
  readonly wallMs: number
}

export class InputWatch {
  inputs = 0
  /** Of any input; a garbage collection may have been in it. */
  longestCpuMs = 0
  longestWallMs = 0
  lastCpuMs = 0
  #cpuBefore = process.cpuUsage()
  #wallBefore = performance.now()

  begin(): void {
    this.#cpuBefore = process.cpuUsage()
    this.#wallBefore = performance.now()
  }

  /** The end of what has begun, which was one input. */
  end(): Took {
    const { user, system } = process.cpuUsage(this.#cpuBefore)
    const took = { cpuMs: (user + system) / 1_000, wallMs: performance.now() - this.#wallBefore }
    this.inputs += 1
    this.lastCpuMs = took.cpuMs
    this.longestCpuMs = Math.max(this.longestCpuMs, took.cpuMs)
    this.longestWallMs = Math.max(this.longestWallMs, took.wallMs)
    return took
  }
}
