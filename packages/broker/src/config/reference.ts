// The tables of docs/configuration.md: every option with its names, default, range and help.

import { stringify } from 'yaml'
import { dottedName, outlineOf, variableName, type OutlineEntry } from './outline.ts'
import type { OptionFacts } from './option.ts'
import { rangeOf } from './range.ts'
import { writeQuantity } from './quantity.ts'
import { brokerConfig } from './config.ts'

const TABLE_HEAD = [
  '| Option | Variable | Default | Range | Meaning |',
  '| --- | --- | --- | --- | --- |',
]

/** Markdown: a table for the options at the top, then a section for each group. */
export function configReference(): string {
  const entries = [...outlineOf(brokerConfig)]
  const sections = entries.filter((entry) => entry.kind === 'group')
  return sections.map(({ path, facts }) => section(path, facts.help, entries)).join('\n\n')
}

function section(path: readonly string[], help: string, entries: readonly OutlineEntry[]): string {
  const rows = entries
    .filter((entry) => entry.kind === 'option' && isMember(entry.path, path))
    .map((entry) => row(entry.path, entry.facts as OptionFacts))
  const heading = path.length === 0 ? [] : [`### ${dottedName(path)}`, '', help, '']
  return [...heading, ...TABLE_HEAD, ...rows].join('\n')
}

function isMember(path: readonly string[], group: readonly string[]): boolean {
  return path.length === group.length + 1 && group.every((name, depth) => path[depth] === name)
}

function row(path: readonly string[], facts: OptionFacts): string {
  const { initial, unit, help } = facts
  const isQuantity = typeof initial === 'number' && unit !== undefined
  const value = isQuantity ? writeQuantity(initial, unit) : stringify(initial).trim()
  const names = [`\`${dottedName(path)}\``, `\`${variableName(path)}\``]
  const cells = [...names, `\`${value}\``, rangeOf(facts), help]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
