// The user's module of handlers: found, loaded, checked, with words for what is wrong with it.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Handler } from '@tq/client'

/** What a user did wrong; its message is all that is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Loads a module that exports `handlers`, an object from task types to functions; the default export
 * may be that object as well. The type `*` handles what has no handler of its own.
 * @throws {UsageError}
 */
export async function loadHandlers(path: string): Promise<Readonly<Record<string, Handler>>> {
  const file = resolve(path)
  const module = (await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw new UsageError(`cannot load ${file}: ${sentenceOf(error)}`)
  })) as { readonly handlers?: unknown; readonly default?: unknown }
  const handlers = module.handlers ?? module.default
  if (typeof handlers !== 'object' || handlers === null) {
    throw new UsageError(
      `${file} exports no handlers; write: export const handlers = { 'a-type': async (task) => … }`,
    )
  }
  const entries = Object.entries(handlers)
  if (entries.length === 0) throw new UsageError(`${file} exports an empty object of handlers`)
  const wrong = entries.find(([, handler]) => typeof handler !== 'function')
  if (wrong !== undefined) {
    throw new UsageError(
      `${file}: the handler of type "${wrong[0]}" is ${typeof wrong[1]}, not a function`,
    )
  }
  return Object.fromEntries(entries) as Readonly<Record<string, Handler>>
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { readonly code?: string }
  return code === 'ERR_MODULE_NOT_FOUND' ? (error.message.split('\n')[0] ?? code) : error.message
}
