// Measures in a process of its own: with a young generation so large that nothing is collected
// within a round, and without what a test runner does meanwhile.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle } from '../bundle.ts'
import type { Ratios } from './measurement.ts'
import type { PlantName } from './plant.ts'

const SCRIPT = fileURLToPath(new URL('../children/guard-child.ts', import.meta.url))
const FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128']

export class GuardProcess {
  readonly #bundle: string

  /** @param directory Where the program is put together. */
  static async make(directory: string): Promise<GuardProcess> {
    return new GuardProcess(await bundle(SCRIPT, directory))
  }

  private constructor(bundled: string) {
    this.#bundle = bundled
  }

  async measure(plant: PlantName): Promise<Ratios> {
    const args = [...FLAGS, this.#bundle, plant]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const [ratios] = JSON.parse(stdout) as readonly Ratios[]
    if (ratios === undefined) throw new Error('the guard measured nothing')
    return ratios
  }
}
