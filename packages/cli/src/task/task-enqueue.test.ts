// `task enqueue` against a broker.

import { createConnection, createServer } from 'node:net'
import { decodePayload } from '@tq/client'
import { decodeRequest, FrameDecoder, limits } from '@tq/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { adminOf, type Ran } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'
import { aClient, aWorker } from '../../test/sdk.ts'

const broker = sharedBroker()
const ID_LINE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\n$/

describe('task enqueue', () => {
  it('prints the id, and nothing else', async () => {
    const ran = await admin('task', 'enqueue', 'plain', 'welcome')

    expect(ran).toEqual({ code: 0, out: expect.stringMatching(ID_LINE), err: '' })
  })

  it('prints JSON on demand', async () => {
    const ran = await admin('task', 'enqueue', 'plain', 'welcome', '-o', 'json')

    expect(JSON.parse(ran.out)).toEqual({ schema: 1, id: expect.any(String), existed: false })
  })

  it('hands over all that the flags say', async () => {
    const { out } = await admin(
      ...['task', 'enqueue', 'flags', 'welcome', '--json', '{"to":"ann"}', '--priority', '200'],
      ...['--run-at', '2040-01-02T03:04:05+01:00', '--ttl', '2d', '--key', 'k1'],
      ...['--max-attempts', '7', '--run-timeout', '90s', '--require', 'gpu=true'],
      ...['--require', 'zone=north', '--header', 'a=1', '--header', 'b=x=y'],
    )

    const task = await aClient(broker).get(out.trim(), { payload: true })
    expect(task).toMatchObject({
      queue: 'flags',
      type: 'welcome',
      state: 'scheduled',
      priority: 200,
      dueAtMs: Date.parse('2040-01-02T02:04:05Z'),
      idempotencyKey: 'k1',
      maxAttempts: 7,
      timeoutMs: 90_000,
      requires: { gpu: true, zone: 'north' },
      headers: { a: '1', b: 'x=y' },
    })
    expect(task.expiresAtMs).toBe(task.createdAtMs + 2 * 86_400_000)
    expect(decodePayload(task.payload as Uint8Array)).toEqual({ to: 'ann' })
  })

  it('delays by a duration', async () => {
    const { out } = await admin('task', 'enqueue', 'delayed', 'welcome', '--delay', '10m')

    const task = await aClient(broker).get(out.trim())
    expect(task.dueAtMs).toBe(task.createdAtMs + 600_000)
  })

  it('reads the payload from stdin', async () => {
    const run = adminOf(broker, { stdin: '{"a":1}' })

    const { out } = await run('task', 'enqueue', 'stdin', 'welcome', '-')

    const { payload } = await aClient(broker).get(out.trim(), { payload: true })
    expect(decodePayload(payload as Uint8Array)).toEqual({ a: 1 })
  })

  it('sends raw bytes as they are', async () => {
    const bytes = new Uint8Array([0xc1, 0, 255])
    const run = adminOf(broker, { stdin: bytes })

    const { out } = await run('task', 'enqueue', 'raw', 'welcome', '--file', '-', '--raw')

    const { payload } = await aClient(broker).get(out.trim(), { payload: true })
    expect([...(payload as Uint8Array)]).toEqual([...bytes])
  })

  it('makes one task of two with the same key, and says so', async () => {
    const first = await admin('task', 'enqueue', 'key', 'welcome', '--key', 'k')
    const second = await admin('task', 'enqueue', 'key', 'welcome', '--key', 'k')

    expect(second).toMatchObject({ code: 0, out: first.out })
    expect(second.err).toContain(`nothing new: task ${first.out.trim()} was enqueued before`)
  })

  it('refuses a key that was used for another request', async () => {
    await admin('task', 'enqueue', 'conflict', 'welcome', '--key', 'k')

    const ran = await admin('task', 'enqueue', 'conflict', 'goodbye', '--key', 'k')

    expect(ran).toMatchObject({ code: 4, out: '' })
    expect(ran.err).toContain('(CONFLICT)')
  })

  it.each([
    [['two words', 'welcome'], 'begins with a letter or digit'],
    [['mail', 'welcome', 'x'], 'Only - may stand here'],
    [['mail', 'welcome', '--json', '{'], '--json is not JSON'],
    [['mail', 'welcome', '-', '--json', '1'], 'given twice'],
    [['mail', 'welcome', '--priority', '256'], 'Write a whole number from 0 to 255.'],
    [['mail', 'welcome', '--priority', '1.5'], 'Write a whole number from 0 to 255.'],
    [['mail', 'welcome', '--max-attempts', '0'], 'Write a whole number from 1 to 100.'],
    [['mail', 'welcome', '--run-at', '2040-01-01'], 'Write date, time and zone'],
    [['mail', 'welcome', '--run-at', '2040-99-01T00:00:00Z'], 'Write date, time and zone'],
    [['mail', 'welcome', '--run-at', '2040-01-01T00:00:00Z', '--delay', '1s'], 'cannot be used'],
    [['mail', 'welcome', '--require', 'gpu'], 'Write name=value.'],
    [['mail', 'welcome', '--id', 'abc'], '"abc" is not a task id'],
  ])('refuses %j with 2', async (args, text) => {
    const ran = await admin('task', 'enqueue', ...args)

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(text)
  })
})

describe('task enqueue --wait', () => {
  it('prints the result, and tells the rest on stderr', async () => {
    await aWorker(broker, 'sums', { sum: ({ payload }) => ({ sum: sumOf(payload) }) })

    const ran = await admin('task', 'enqueue', 'sums', 'sum', '--json', '[1,2]', '--wait')

    expect(ran).toMatchObject({ code: 0, out: '{\n  "sum": 3\n}\n' })
    expect(ran.err).toMatch(/is enqueued; waiting for its end\ntask \S+ is completed after /)
  })

  it('prints nothing for a task without a result', async () => {
    await aWorker(broker, 'silent', { quiet: () => undefined })

    const ran = await admin('task', 'enqueue', 'silent', 'quiet', '--wait')

    expect(ran).toMatchObject({ code: 0, out: '' })
  })

  it('exits with 1 if the task is dead, saying why', async () => {
    await aWorker(broker, 'bad', {
      fail: () => {
        throw new TypeError('no\u001b[2J address')
      },
    })

    const ran = await admin('task', 'enqueue', 'bad', 'fail', '--max-attempts', '1', '--wait')

    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(ran.err).toMatch(/is dead \(attempts_exhausted\) after .*: no\\u001b\[2J address\n$/)
  })

  it('prints all about the task as JSON on demand', async () => {
    await aWorker(broker, 'json', { sum: ({ payload }) => sumOf(payload) })

    const ran = await admin(
      ...['task', 'enqueue', 'json', 'sum', '--json', '[1,2]', '--wait', '-o', 'json'],
    )

    const { schema, id, existed, task } = JSON.parse(ran.out) as Record<string, unknown>
    expect({ schema, existed }).toEqual({ schema: 1, existed: false })
    expect(task).toMatchObject({ id, state: 'completed', end: { result: 3 } })
  })

  it('gives up after --timeout with 6', async () => {
    const ran = await admin(
      ...['task', 'enqueue', 'nobody', 'welcome', '--wait', '--timeout', '500ms'],
    )

    expect(ran).toMatchObject({ code: 6, out: '' })
    expect(ran.err).toContain('has not ended within 500 ms (TIMEOUT)')
    expect(ran.err).not.toContain('not known')
  })
})

describe('an enqueue whose answer is lost', () => {
  it('names the id under which it can be repeated safely', async () => {
    const address = await aProxyThatDropsAnswers()

    const lost = await adminOf({ address })('task', 'enqueue', 'lost', 'welcome')

    expect(lost).toMatchObject({ code: 6, out: '' })
    const id = /To repeat it safely add --id (\S+)/.exec(lost.err)?.[1] ?? ''
    const again = await admin('task', 'enqueue', 'lost', 'welcome', '--id', id)
    expect(again).toMatchObject({ code: 0, out: `${id}\n` })
    expect((await aClient(broker).list({ queue: 'lost' })).tasks).toHaveLength(1)
  })
})

function admin(...args: readonly string[]): Promise<Ran> {
  return adminOf(broker)(...args)
}

function sumOf(payload: unknown): number {
  return (payload as number[]).reduce((sum, value) => sum + value, 0)
}

/** A way to the broker that ends, for good, where the answer to an enqueue would come. */
async function aProxyThatDropsAnswers(): Promise<string> {
  const server = createServer((near) => {
    const [host, port] = broker.address.split(':') as [string, string]
    const far = createConnection({ host, port: Number(port) })
    const requests = new FrameDecoder(limits.FRAME_BYTES_MAX)
    let isEnqueued = false
    near.on('data', (chunk) => {
      isEnqueued ||= requests
        .push(chunk)
        .some((body) => decodeRequest(body).request.verb === 'enqueue')
      far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (!isEnqueued) return void near.write(chunk)
      server.close()
      near.destroy()
      far.destroy()
    })
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}
