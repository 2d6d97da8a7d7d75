// Node flags with which a thread or process runs TypeScript sources as they are.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const api = createRequire(import.meta.url)
  .resolve('tsx/esm/api')
  .replace(/\.cjs$/, '.mjs')

/** On Node 20 `--import tsx` does not reach threads; registering by its API does. */
export const FROM_SOURCE: readonly string[] = [
  '--import',
  `data:text/javascript,import { register } from ${JSON.stringify(pathToFileURL(api).href)}; register()`,
  '--conditions=@tq/source',
]
