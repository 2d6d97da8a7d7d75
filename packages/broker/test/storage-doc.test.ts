// docs/storage.md is the contract: what its tables and examples say must be what the code does.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { REASONS, TASK_STATES } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FACT_KINDS, type FactKind } from '../src/engine/fact.ts'
import { EPOCH_SKIP } from '../src/storage/store-verification.ts'
import { MARK_COMMITS_MAX, MARK_INTERVAL_MS } from '../src/storage/high-water.ts'
import { FAMILIES, type Family } from '../src/storage/key.ts'
import { GOLDEN_RECORDS } from './golden-record.ts'
import { SEED } from './property.ts'
import { aHistory, type Move, play } from './random-history.ts'
import { StoredEngine } from './stored-engine.ts'

const page = readFileSync(new URL('../../../docs/storage.md', import.meta.url), 'utf8')
const STORAGE = fileURLToPath(new URL('../src/storage', import.meta.url))

/** The rows of the table between `<!-- name -->` and `<!-- end -->`, as trimmed cells. */
function tableOf(name: string): string[][] {
  const part = page.split(`<!-- ${name} -->`)[1]?.split('<!-- end -->')[0] ?? ''
  const rows = part.trim().split('\n').slice(2)
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** The names in backticks of a cell. */
function namesIn(cell: string | undefined): Set<string> {
  return new Set([...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
}

describe('docs/storage.md', () => {
  it('lists every family of keys with its byte', () => {
    const bytes = tableOf('families').map(([name, byte]) => [name, Number.parseInt(byte ?? '', 16)])

    expect(Object.fromEntries(bytes)).toEqual(FAMILIES)
  })

  it('lists every fact with its code, and whether it is durable', () => {
    const facts = tableOf('facts').map(([name, code, durable]) => [
      name,
      { code: Number(code), durable: durable === 'yes' },
    ])

    expect(Object.fromEntries(facts)).toEqual(FACT_KINDS)
  })

  it('lists every code of refusal', () => {
    const sources = readdirSync(STORAGE)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(STORAGE, name), 'utf8'))
    const thrown = sources.flatMap((text) =>
      [...text.matchAll(/new StoreError\(\s*'([A-Z_]+)'/g)].map(([, code]) => code),
    )

    expect(new Set(tableOf('refusals').map(([code]) => code))).toEqual(new Set(thrown))
  })

  it('names the numbers of states and reasons', () => {
    for (const [name, { code }] of Object.entries(TASK_STATES)) {
      expect(page).toMatch(new RegExp(`\\b${code} ${name}\\b`))
    }
    for (const [name, code] of Object.entries(REASONS)) {
      expect(page).toMatch(new RegExp(`\\b${code} ${name}\\b`))
    }
  })

  it('names the bounds of what the high-water mark cannot see', () => {
    expect(MARK_INTERVAL_MS).toBe(1_000)
    expect(page).toContain(`each second and each ${MARK_COMMITS_MAX.toLocaleString('en')} commits`)
    expect(page).toContain(`by ${EPOCH_SKIP.toLocaleString('en')} if there is no mark`)
  })

  it('shows golden records byte for byte', () => {
    const blocks = [...page.matchAll(/^```hex (.+)\n([^`]*)^```$/gm)]
    const digits = (text: string): string => text.replaceAll(/\s/g, '')
    const golden: Readonly<Record<string, { key: string; value: string }>> = GOLDEN_RECORDS

    expect(blocks.length).toBeGreaterThan(0)
    for (const [, name, block] of blocks) {
      const [, key, value] = /^key([^]*)value([^]*)$/.exec(block ?? '') ?? []
      const { key: goldenKey, value: goldenValue } = golden[name ?? ''] ?? { key: '', value: '' }
      expect([name, digits(key ?? ''), digits(value ?? '')]).toEqual([
        name,
        digits(goldenKey),
        digits(goldenValue),
      ])
    }
  })
})

/** What chance seldom brings: a redrive of a task with more history than is kept. */
const RARE: Move[] = [
  { kind: 'enqueue', n: 0 },
  { kind: 'release-often', n: 39 },
  { kind: 'cancel', n: 0 },
  { kind: 'redrive', n: 0 },
]

describe('what docs/storage.md says is written for each fact', () => {
  const rows = new Map(tableOf('facts').map((row) => [row[0], row]))
  const putsOf = (kind: FactKind): Set<string> => namesIn(rows.get(kind)?.[3])
  const deletesOf = (kind: FactKind): Set<string> => namesIn(rows.get(kind)?.[4])
  const seen = new Set<string>()

  it('is all that any commit writes', async () => {
    // Retention deletes without a fact.
    const withoutForget = aHistory.map((moves) => moves.filter(({ kind }) => kind !== 'forget'))
    await fc.assert(
      fc.asyncProperty(withoutForget, async (moves) => {
        const stored = await StoredEngine.open()
        for (const move of moves) await commitOne(stored, move)
      }),
      { seed: SEED, numRuns: 60, examples: [[RARE]] },
    )
  })

  it('is written and deleted indeed', () => {
    const durable = (Object.keys(FACT_KINDS) as FactKind[]).filter(
      (kind) => FACT_KINDS[kind].durable,
    )
    const said = durable.flatMap((kind) => [
      ...[...putsOf(kind)].map((family) => `${kind} puts ${family}`),
      ...[...deletesOf(kind)].map((family) => `${kind} deletes ${family}`),
    ])

    expect(said.filter((text) => !seen.has(text))).toEqual([])
  })

  /** Plays one move and commits it; holds what was written against the facts of that commit. */
  async function commitOne(stored: StoredEngine, move: Move): Promise<void> {
    const { builder } = stored
    const kinds = new Set<FactKind>()
    const { add } = builder
    builder.add = (fact, task, now) => {
      if (FACT_KINDS[fact.kind].durable) kinds.add(fact.kind)
      add.call(builder, fact, task, now)
    }
    await play(stored, move.kind === 'commit' ? [] : [move])
    builder.add = add
    const { batch } = await stored.commit()
    check(kinds, { keys: batch.putKeys, verb: 'puts', saidOf: putsOf })
    check(kinds, { keys: batch.deleteKeys, verb: 'deletes', saidOf: deletesOf })
  }

  function check(
    kinds: ReadonlySet<FactKind>,
    written: {
      readonly keys: readonly Uint8Array[]
      readonly verb: string
      readonly saidOf: (kind: FactKind) => Set<string>
    },
  ): void {
    for (const family of new Set(written.keys.map(familyOf))) {
      if (family === 'journal') continue
      const sayers = [...kinds].filter((kind) => written.saidOf(kind).has(family))
      expect(sayers, `${[...kinds].join(', ')} ${written.verb} ${family}`).not.toEqual([])
      for (const kind of sayers) seen.add(`${kind} ${written.verb} ${family}`)
    }
  }
})

function familyOf(key: Uint8Array): Family {
  const names = Object.entries(FAMILIES) as [Family, number][]
  return names.find(([, byte]) => byte === key[0])?.[0] ?? 'meta'
}
