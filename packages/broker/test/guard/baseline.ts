// The committed baseline: what a task cost when it was last recorded, by the major version of Node.

import { readFileSync, writeFileSync } from 'node:fs'
import type { Ratios } from './measurement.ts'

const PATH = new URL('baseline.json', import.meta.url)

type Baselines = Readonly<Record<string, Ratios>>

/** That of the Node that runs; undefined if none was recorded with it: engines differ too much. */
export function readBaseline(): Ratios | undefined {
  return readAll()[major()]
}

export function writeBaseline(ratios: Ratios): void {
  const rounded = { cpu: Number(ratios.cpu.toFixed(2)), heap: Number(ratios.heap.toFixed(2)) }
  writeFileSync(PATH, `${JSON.stringify({ ...readAll(), [major()]: rounded }, null, 2)}\n`)
}

export function major(): string {
  return process.versions.node.split('.')[0] ?? ''
}

function readAll(): Baselines {
  return JSON.parse(readFileSync(PATH, 'utf8')) as Baselines
}
