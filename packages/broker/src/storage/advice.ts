// The commands that help with a store that is refused, as a person types them.

import { resolve } from 'node:path'

/** What no shell takes for anything else. */
const PLAIN = /^[\w@%+=:,./-]+$/

export function checkCommand(directory: string): string {
  return `tq-admin store check ${typed(directory)}`
}

/** @param file The backup; left to the person if it is undefined. */
export function restoreCommand(file: string | undefined, directory: string): string {
  const backup = file === undefined ? 'FILE' : typed(file)
  return `tq-admin store restore ${backup} --to ${typed(directory)}`
}

/** @param directory The damaged one; left to the person if it is undefined. */
export function salvageCommand(directory: string | undefined, target: string): string {
  const source = directory === undefined ? 'DIR' : typed(directory)
  return `tq-admin store salvage ${source} --to ${typed(target)}`
}

/** The command for a damaged directory, into one beside it. */
export function salvageBeside(directory: string): string {
  return salvageCommand(directory, `${resolve(directory)}-salvaged`)
}

export function removeCommand(directory: string): string {
  return `rm -r ${typed(directory)}`
}

/** For a store that is there, and not as the broker left it. */
export function adviceOnDamage(directory: string): string {
  const restored = restoreCommand(undefined, `${resolve(directory)}-restored`)
  return (
    `To see what is damaged: "${checkCommand(directory)}". With a backup: "${restored}". Without ` +
    `one, to save what can be read: "${salvageBeside(directory)}". Then set dataDir to the new directory.`
  )
}

/** From anywhere, whatever is in the name. */
function typed(path: string): string {
  const absolute = resolve(path)
  return PLAIN.test(absolute) ? absolute : `'${absolute.replaceAll("'", `'\\''`)}'`
}
