// The demonstration's handlers, run by tq-worker: measure one file; merge the measures into a report.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** What is found out about one file. */
export interface FileMeasure {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  readonly lines: number
  readonly words: number
  readonly gzipBytes: number
}

export interface Report {
  readonly files: number
  readonly bytes: number
  readonly lines: number
  readonly words: number
  readonly gzipBytes: number
  readonly largest: string
}

const compress = promisify(gzip)

export async function measure(path: string): Promise<FileMeasure> {
  const content = await readFile(path)
  const text = content.toString('latin1')
  return {
    path,
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
    lines: text.split('\n').length - 1,
    words: text.split(/\s+/).filter((word) => word !== '').length,
    gzipBytes: (await compress(content)).length,
  }
}

export function merge(parts: readonly (FileMeasure | Report)[]): Report {
  let report: Report = { files: 0, bytes: 0, lines: 0, words: 0, gzipBytes: 0, largest: '' }
  let largestBytes = -1
  for (const part of parts) {
    const isLargest = 'path' in part && part.bytes > largestBytes
    if (isLargest) largestBytes = part.bytes
    report = {
      files: report.files + ('path' in part ? 1 : part.files),
      bytes: report.bytes + part.bytes,
      lines: report.lines + part.lines,
      words: report.words + part.words,
      gzipBytes: report.gzipBytes + part.gzipBytes,
      largest: isLargest ? part.path : report.largest || ('path' in part ? '' : part.largest),
    }
  }
  return report
}

interface Task {
  readonly payload: unknown
}

export const handlers = {
  'measure-file': (task: Task): Promise<FileMeasure> =>
    measure((task.payload as { path: string }).path),
  'merge-report': (task: Task): Report =>
    merge((task.payload as { parts: readonly (FileMeasure | Report)[] }).parts),
}
