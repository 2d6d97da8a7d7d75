// config.example.yml: every option with its default, and its help as a comment.

import { stringify } from 'yaml'
import type { OptionFacts } from './option.ts'
import { outlineOf, type OutlineEntry } from './outline.ts'
import { rangeOf } from './range.ts'
import { writeQuantity } from './quantity.ts'
import { brokerConfig } from './config.ts'

const COLUMNS = 100
const HEADING = `Every option of tq-broker with its default. Copy what you change: what is left out \
has its default. Times may be written as 500ms, 15s, 5m, 24h or 7d, sizes as 512KiB, 64MiB or 2GiB. \
Each option is also an environment variable and a flag, which win over this file: http.port is \
TQ_HTTP_PORT and --http-port.`

export function configExample(): string {
  const lines = wrapped(HEADING, '# ')
  let isFirstOfGroup = false
  for (const entry of outlineOf(brokerConfig)) {
    if (entry.path.length === 0) continue
    lines.push(...(isFirstOfGroup ? [] : ['']), ...linesOf(entry))
    isFirstOfGroup = entry.kind === 'group'
  }
  return `${lines.join('\n')}\n`
}

function linesOf(entry: OutlineEntry): string[] {
  const indent = '  '.repeat(entry.path.length - 1)
  const name = entry.path.at(-1) ?? ''
  if (entry.kind === 'group') {
    return [...wrapped(entry.facts.help, `${indent}# `), `${indent}${name}:`]
  }
  const range = rangeOf(entry.facts)
  const help = range === '' ? entry.facts.help : `${entry.facts.help} (${range})`
  return [...wrapped(help, `${indent}# `), `${indent}${name}: ${yamlOf(entry.facts)}`]
}

function yamlOf({ initial, unit }: OptionFacts): string {
  if (typeof initial === 'number' && unit !== undefined) return writeQuantity(initial, unit)
  return stringify(initial).trim()
}

/** Words in lines that begin with the prefix and are not too long. */
function wrapped(text: string, prefix: string): string[] {
  const lines: string[] = []
  let line = prefix
  for (const word of text.split(' ')) {
    const isFull = line !== prefix && line.length + 1 + word.length > COLUMNS
    if (isFull) lines.push(line)
    line = isFull || line === prefix ? `${prefix}${word}` : `${line} ${word}`
  }
  return [...lines, line]
}
