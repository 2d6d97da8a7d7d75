// Files, or parts of them, that are made from the code: what they should say.

import { readFile } from 'node:fs/promises'
import { format } from 'prettier'
import { configExample } from '../broker/src/config/example.ts'
import { configReference } from '../broker/src/config/reference.ts'
import { EXIT_CODES } from '../broker/src/exit-code.ts'
import { ENDPOINTS } from '../broker/src/http/endpoint.ts'
import { LOG_EVENTS } from '../broker/src/observe/log-event.ts'
import { METRICS } from '../broker/src/observe/metric-table.ts'
import { FINDINGS } from '../broker/src/upkeep/finding.ts'
import { ROOT } from './repository.ts'

export interface GeneratedFile {
  /** Path from the root of the repository. */
  readonly path: string
  readonly text: string
}

/** Parts of documents, by the name in their marks. */
const PARTS: Readonly<Record<string, () => string>> = {
  options: configReference,
  'exit-codes': () =>
    table(
      ['Code', 'Meaning'],
      Object.values(EXIT_CODES).map(({ code, means }) => [String(code), means]),
    ),
  endpoints: () =>
    table(
      ['Address', 'Token', 'Answer'],
      Object.entries(ENDPOINTS).map(([path, { isOpen, help }]) => [
        `\`${path}\``,
        isOpen ? 'never' : 'as clients',
        help,
      ]),
    ),
  'log-events': () =>
    table(
      ['Event', 'Level', 'Meaning'],
      Object.entries(LOG_EVENTS).map(([event, { level, says }]) => [`\`${event}\``, level, says]),
    ),
  findings: () =>
    table(
      ['Finding', 'What it means', 'What to do'],
      Object.entries(FINDINGS).map(([code, { means, advice }]) => [`\`${code}\``, means, advice]),
    ),
  metrics: () =>
    table(
      ['Metric', 'Type', 'Labels', 'Meaning'],
      Object.entries(METRICS).map(([name, { type, labels, help }]) => [
        `\`${name}\``,
        type,
        labels.join(', '),
        help,
      ]),
    ),
}

const DOCUMENTS = ['docs/configuration.md', 'docs/operating.md']
const PART_PATTERN = /(<!-- generated: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g

/** Every generated file as it should be; documents keep what people wrote around the parts. */
export async function generatedFiles(): Promise<GeneratedFile[]> {
  const documents = await Promise.all(DOCUMENTS.map((path) => documentAt(path)))
  return [{ path: 'config.example.yml', text: configExample() }, ...documents]
}

async function documentAt(path: string): Promise<GeneratedFile> {
  const current = await readFile(`${ROOT}/${path}`, 'utf8')
  const filled = current.replaceAll(PART_PATTERN, (_, begin: string, name: string, end: string) => {
    const part = PARTS[name]
    if (part === undefined) throw new Error(`${path} has a part "${name}" that nothing makes`)
    return `${begin}\n${part()}\n\n${end}`
  })
  return { path, text: await format(filled, { parser: 'markdown', printWidth: 100 }) }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
