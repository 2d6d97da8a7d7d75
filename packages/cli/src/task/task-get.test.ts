// `task get` against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'
import { aWorker, anEndlessHandler } from '../../test/sdk.ts'
import { TASK_ID } from '../../test/builders.ts'

const broker = sharedBroker()

describe('task get', () => {
  it('shows who holds a running task', async () => {
    const run = adminOf(broker)
    const { handler, started } = anEndlessHandler()
    await aWorker(broker, 'held', { slow: handler })
    const { out } = await run('task', 'enqueue', 'held', 'slow')
    await started

    const ran = await run('task', 'get', out.trim())

    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toMatch(/^state +running$/m)
    expect(ran.out).toMatch(/^held by +worker-of-held \(session [0-9a-f]{32}\)$/m)
    expect(ran.out).toMatch(/^lease +.* left, token \d+$/m)
  })

  it('shows what happened to a task that has ended, and its result', async () => {
    const run = adminOf(broker)
    await aWorker(broker, 'ended', { echo: ({ payload }) => payload })
    await run('task', 'enqueue', 'ended', 'echo', '--json', '"hi"', '--key', 'once', '--wait')
    const { out } = await run('task', 'enqueue', 'ended', 'echo', '--json', '"hi"', '--key', 'once')

    const ran = await run('task', 'get', out.trim(), '--payload')

    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^state +completed$/m)
    expect(ran.out).toMatch(/^result +"hi"$/m)
    expect(ran.out).toMatch(/^payload +"hi"$/m)
    expect(ran.out).toMatch(/^attempt 1 by worker-of-ended \(token \d+\)$/m)
    expect(ran.out).toMatch(/ assigned +claimed\n.* running +started\n.* completed$/m)
  })

  it('prints JSON with the payload and the result decoded', async () => {
    const run = adminOf(broker)
    await aWorker(broker, 'json', { echo: ({ payload }) => payload })
    const json = '{"a":[1]}'
    const args = ['task', 'enqueue', 'json', 'echo', '--json', json, '--wait', '-o', 'json']
    const { id } = JSON.parse((await run(...args)).out) as { id: string }

    const ran = await run('task', 'get', id, '--payload', '-o', 'json')

    expect(JSON.parse(ran.out)).toMatchObject({
      schema: 1,
      task: { id, state: 'completed', payload: { a: [1] }, end: { result: { a: [1] } } },
    })
  })

  it('escapes control characters in JSON, those of the second kind too', async () => {
    const run = adminOf(broker)
    const json = JSON.stringify('\u001b[2J\u009b2J')
    const { out } = await run('task', 'enqueue', 'control', 'echo', '--json', json)

    const ran = await run('task', 'get', out.trim(), '--payload', '-o', 'json')

    expect(ran.out).toContain(String.raw`"\u001b[2J\u009b2J"`)
  })

  it('exits with 3 if there is no such task', async () => {
    const ran = await adminOf(broker)('task', 'get', TASK_ID)

    expect(ran).toMatchObject({ code: 3, out: '' })
    expect(ran.err).toContain('(NOT_FOUND)')
  })

  it('exits with 2 if that is no id', async () => {
    const ran = await adminOf(broker)('task', 'get', '123')

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain('"123" is not a task id')
  })
})
