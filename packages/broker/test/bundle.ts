// Makes one file of a TypeScript program, so that twenty processes of it start in the time of five.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'vite'

const CONDITIONS = ['@tq/source', 'node', 'import', 'default']
/** Named by its path: the bundle lies where no packages are found. */
const CLASSIC_LEVEL = createRequire(import.meta.url).resolve('classic-level')

/** Bundles the script into the directory, and gives the path of what can be run. */
export async function bundle(script: string, outDir: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: CONDITIONS, alias: { 'classic-level': CLASSIC_LEVEL } },
    ssr: { noExternal: true, resolve: { conditions: CONDITIONS } },
    build: {
      ssr: script,
      outDir,
      minify: false,
      rollupOptions: { external: [CLASSIC_LEVEL], output: { entryFileNames: 'child.mjs' } },
    },
  })
  return join(outDir, 'child.mjs')
}
