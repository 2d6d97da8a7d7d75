// One option set outside the file: by an environment variable or by a flag.

import type { OutlineOption } from './outline.ts'
import { parse } from 'yaml'

export interface Setting {
  readonly option: OutlineOption
  /** The name of the variable or flag, for errors. */
  readonly place: string
  readonly value: unknown
}

/** Lists and maps are written as YAML on one line; all else is what it says. */
export function settingOf(option: OutlineOption, place: string, text: string): Setting {
  const value = option.facts.kind === 'structure' ? parseStructure(text) : text
  return { option, place, value }
}

function parseStructure(text: string): unknown {
  try {
    return parse(text) as unknown
  } catch {
    return text // the schema refuses it, and says what would be right
  }
}
