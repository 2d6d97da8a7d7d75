// Facts about the machine, without which a figure means nothing.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { resolve } from 'node:path'

export interface MachineFacts {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  /** Of the disk that the broker writes to. */
  readonly fileSystem: string
  readonly node: string
  readonly commit: string
  /** Processes that wanted to run, on average over the minute before. */
  readonly load: number
  readonly at: string
}

/** @param directory On the disk that the broker writes to. */
export function machineFacts(directory: string): MachineFacts {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    fileSystem: fileSystemOf(directory, readFileSync('/proc/self/mounts', 'utf8')),
    node: process.version,
    commit: commit(),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    at: new Date().toISOString(),
  }
}

/** The kind of the file system that holds a directory, by the lines of the kernel's mounts. */
export function fileSystemOf(directory: string, mounts: string): string {
  const path = `${resolve(directory)}/`
  const holders = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .map(([, point = '', kind = '']) => ({ point: point.replace(/\/?$/, '/'), kind }))
    .filter(({ point, kind }) => kind !== '' && path.startsWith(point))
  // The longest is the nearest; of several at one place the last covers the others.
  return holders.reduce((near, next) => (next.point.length >= near.point.length ? next : near), {
    point: '',
    kind: 'unknown',
  }).kind
}

function commit(): string {
  try {
    const name = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
    const changes = execFileSync('git', ['status', '--porcelain', '-uno'], { encoding: 'utf8' })
    return changes === '' ? name : `${name} with changes`
  } catch {
    return 'not a checkout'
  }
}
