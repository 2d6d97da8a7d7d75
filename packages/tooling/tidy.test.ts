// What linters cannot say about the code: captions, names, faces, words, links.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dottedName, optionsOf } from '../broker/src/config/outline.ts'
import { brokerConfig } from '../broker/src/config/config.ts'
import { LOG_EVENTS } from '../broker/src/observe/log-event.ts'
import { METRICS } from '../broker/src/observe/metric-table.ts'
import { ERROR_CODES } from '../core/src/error.ts'
import { ROOT } from './repository.ts'
import { filesBelow, sourceFiles } from './source-files.ts'

const sources = await sourceFiles()
const documents = [
  ...(await filesBelow('docs', ['.md'])),
  ...(await filesBelow('packages', ['.md'])),
  ...(await rootDocuments()),
]
const code = sources.filter(({ path }) => !path.endsWith('.test.ts') && !path.includes('/test/'))

async function rootDocuments(): Promise<{ path: string; text: string }[]> {
  const names = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md']
  const there = names.filter((name) => existsSync(join(ROOT, name)))
  return Promise.all(
    there.map(async (path) => ({ path, text: await readFile(join(ROOT, path), 'utf8') })),
  )
}

describe('every source file', () => {
  it('opens with a caption that says what it is', () => {
    const nameless = sources.filter(({ text }) => !/^(#!.*\n)?\/\/ \S.*\S/.test(text))

    expect(nameless.map(({ path }) => path)).toEqual([])
  })

  it('is named after a noun, not after a drawer', () => {
    const drawers = /\/(utils?|helpers?|common|types?|constants?|misc|shared)\.(c?ts)$/

    expect(sources.map(({ path }) => path).filter((path) => drawers.test(path))).toEqual([])
  })

  it('says what it imports from where; only the face of a package passes names on', () => {
    const passing = sources.filter(
      ({ path, text }) =>
        !/^packages\/[a-z]+\/src\/index\.ts$/.test(path) && /^export [^'"]*? from ['"]/m.test(text),
    )

    expect(passing.map(({ path }) => path)).toEqual([])
  })

  it('leaves nothing for later', () => {
    // Put together, so that this file is no hit itself.
    const later = new RegExp(
      `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`,
    )
    const unfinished = [...sources, ...documents].filter(({ text }) => later.test(text))

    expect(unfinished.map(({ path }) => path)).toEqual([])
  })
})

describe('the face of a package', () => {
  it('is chosen name by name', () => {
    const faces = sources.filter(({ path }) => path.endsWith('/src/index.ts'))
    const open = faces.filter(({ text }) => /^export \* from/m.test(text))

    expect(open.map(({ path }) => path)).toEqual([])
  })
})

describe('names that people meet', () => {
  const broker = code.filter(({ path }) => path.startsWith('packages/broker/src/'))

  it('of log events are all used', () => {
    const used = broker
      .filter(({ path }) => !path.endsWith('/log-event.ts'))
      .map(({ text }) => text)
      .join('\n')
    // The events of connections are put together from what happens to one.
    const unused = Object.keys(LOG_EVENTS).filter(
      (event) => !event.startsWith('connection-') && !used.includes(`event: '${event}'`),
    )

    expect(unused).toEqual([])
  })

  it('of metrics stand in their table alone', () => {
    const inCode = broker.flatMap(({ text }) => [...text.matchAll(/'(tq_[a-z_]*[a-z])'/g)])
    const unknown = inCode
      .map(([, name]) => name)
      .filter((name) => !Object.hasOwn(METRICS, name ?? ''))

    expect(unknown).toEqual([])
  })

  it('of refusals stand in the protocol, each of them', () => {
    const protocol = documents.find(({ path }) => path === 'docs/protocol.md')?.text ?? ''
    const missing = Object.keys(ERROR_CODES).filter((name) => !protocol.includes(name))

    expect(missing).toEqual([])
  })
})

describe('documents', () => {
  it('link to files that are there', () => {
    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#:\s]+)(#[^)]*)?\)/g)]
        .map(([, target]) => target ?? '')
        .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path} -> ${target}`),
    )

    expect(broken).toEqual([])
  })
})

describe('packages', () => {
  it('name exact versions, so that every clone gets the same', async () => {
    const manifests = (await filesBelow('packages', ['package.json'])).concat({
      path: 'package.json',
      text: await readFile(join(ROOT, 'package.json'), 'utf8'),
    })
    const loose = manifests.flatMap(({ path, text }) => {
      const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>
      const wanted = { ...manifest['dependencies'], ...manifest['devDependencies'] }
      return Object.entries(wanted)
        .filter(([, version]) => !/^(\d+\.\d+\.\d+|workspace:\*)$/.test(version))
        .map(([name, version]) => `${path}: ${name}@${version}`)
    })

    expect(loose).toEqual([])
  })
})

describe('every option of the broker', () => {
  it('is read by somebody', () => {
    const readers = code.filter(
      ({ path }) =>
        path.startsWith('packages/broker/src/') && !/\/src\/config\/(?!rules)/.test(path),
    )
    const text = readers.map((file) => file.text).join('\n')
    // Settings of queues are handed over as a whole.
    const options = optionsOf(brokerConfig).filter(({ path }) => path[1] !== 'defaults')
    const unread = options.filter(({ path }) => !new RegExp(`\\b${path.at(-1)}\\b`).test(text))

    expect(unread.map(({ path }) => dottedName(path))).toEqual([])
  })
})
