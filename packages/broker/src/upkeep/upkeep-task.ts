// What the upkeep program is asked for, from its arguments: options as --name=value, --, paths.

import { TOLD_PER_CODE } from './finding.ts'
import { Refused } from './refused.ts'

export type UpkeepTask =
  | {
      readonly verb: 'check'
      readonly directory: string
      readonly workDirectory: string | undefined
      readonly assumesStopped: boolean
      /** Findings of one code that are told one by one. */
      readonly toldMax: number
    }
  | {
      readonly verb: 'salvage'
      readonly directory: string
      readonly target: string
      readonly workDirectory: string | undefined
      readonly assumesStopped: boolean
      readonly toldMax: number
      readonly epochMin: number
      /** The second try: of tables that are damaged nothing is read, and the target is taken over. */
      readonly leavesOutTables: boolean
    }
  | {
      readonly verb: 'backup'
      readonly directory: string
      readonly file: string
      readonly workDirectory: string | undefined
      readonly assumesStopped: boolean
    }
  | { readonly verb: 'verify'; readonly file: string }
  | {
      readonly verb: 'restore'
      readonly file: string
      readonly target: string
      readonly epochMin: number
    }

export function parseTask(args: readonly string[]): UpkeepTask {
  const [verb, ...all] = args
  const at = all.indexOf('--')
  const rest = at < 0 ? all : all.slice(0, at)
  const paths = at < 0 ? all.filter((arg) => !arg.startsWith('--')) : all.slice(at + 1)
  const copying = {
    workDirectory: valueOf(rest, 'work-dir'),
    assumesStopped: rest.includes('--assume-stopped'),
  }
  switch (verb) {
    case 'check':
      return { verb, directory: pathOf(paths, 0), ...copying, toldMax: toldMaxOf(rest) }
    case 'salvage':
      return {
        verb,
        directory: pathOf(paths, 0),
        target: pathOf(paths, 1),
        ...copying,
        toldMax: toldMaxOf(rest),
        epochMin: epochMinOf(rest),
        leavesOutTables: rest.includes('--leave-out-tables'),
      }
    case 'backup':
      return { verb, directory: pathOf(paths, 0), file: pathOf(paths, 1), ...copying }
    case 'verify':
      return { verb, file: pathOf(paths, 0) }
    case 'restore':
      return {
        verb,
        file: pathOf(paths, 0),
        target: pathOf(paths, 1),
        epochMin: epochMinOf(rest),
      }
    default:
      throw new Refused('usage', 'the first argument is check, salvage, backup, verify or restore')
  }
}

function pathOf(paths: readonly string[], index: number): string {
  const path = paths[index]
  if (path !== undefined && path !== '') return path
  throw new Refused(
    'usage',
    'a path is missing: check DIR, salvage DIR NEWDIR, backup DIR FILE, verify FILE, restore FILE DIR',
  )
}

function toldMaxOf(args: readonly string[]): number {
  return Number(valueOf(args, 'told-max') ?? TOLD_PER_CODE)
}

function epochMinOf(args: readonly string[]): number {
  return Number(valueOf(args, 'epoch-min') ?? 0)
}

function valueOf(args: readonly string[], name: string): string | undefined {
  const prefix = `--${name}=`
  return args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length)
}
