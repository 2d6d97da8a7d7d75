// The options of commands that work on a copy of a store.

import type { Command } from 'commander'

export interface CopyingFlags {
  readonly workDir?: string
  readonly assumeStopped?: boolean
}

export function addCopyingOptions(command: Command): Command {
  return command
    .option(
      '--work-dir <dir>',
      'where the copy is made; table files are only linked if it is on the same disk (default: beside the store)',
    )
    .option(
      '--assume-stopped',
      'the container that used the store last, and cannot be seen from here, has stopped',
    )
}

/** As the upkeep program takes them. */
export function copyingArgs({ workDir, assumeStopped }: CopyingFlags): readonly string[] {
  return [
    ...(workDir === undefined ? [] : [`--work-dir=${workDir}`]),
    ...(assumeStopped === true ? ['--assume-stopped'] : []),
  ]
}
