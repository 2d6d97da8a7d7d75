// Which version of a package is driven here.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** As `name version`. */
export function packageVersion(name: string): string {
  // Not by asking for its package.json: not every package lets that be asked for.
  const entry = createRequire(import.meta.url).resolve(name)
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = manifestIn(folder)
    if (manifest?.name === name) return `${name} ${manifest.version}`
  }
  throw new Error(`no package.json of ${name} above ${entry}`)
}

function manifestIn(
  folder: string,
): { readonly name: string; readonly version: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}
