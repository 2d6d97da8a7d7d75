// What a program of the machine says about itself.

import { execFileSync } from 'node:child_process'

/** The first line; undefined if there is no such program. */
export function outputOf(command: string, argv: readonly string[]): string | undefined {
  try {
    const output = execFileSync(command, argv, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return output.split('\n')[0]?.trim()
  } catch {
    return undefined
  }
}
