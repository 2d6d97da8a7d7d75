// Makes one file of each client process: a hundred of them start in the time of twenty.

import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'

export interface ClientBundle {
  readonly client: string
  /** A URL, for `--import`. */
  readonly heartbeatTap: string
}

/** The SDK is not bundled: its compiled form is what runs, with its thread beside it. */
const COMPILED = ['client', 'core'].map((name) => ({
  find: `@tq/${name}`,
  replacement: fileURLToPath(new URL(`../../../${name}/dist/index.js`, import.meta.url)),
}))

export async function bundleClients(outDir: string): Promise<ClientBundle> {
  const child = (name: string): string =>
    fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url))
  await build({
    configFile: false,
    logLevel: 'error',
    resolve: { alias: COMPILED },
    build: {
      ssr: true,
      outDir,
      minify: false,
      rollupOptions: {
        input: { client: child('chaos-client'), heartbeats: child('chaos-heartbeats') },
        external: COMPILED.map(({ replacement }) => replacement),
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  })
  return {
    client: join(outDir, 'client.mjs'),
    heartbeatTap: pathToFileURL(join(outDir, 'heartbeats.mjs')).href,
  }
}
