// `queue stats` against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { aBroker, sharedBroker } from '../../test/broker-process.ts'
import { aClient } from '../../test/sdk.ts'

const broker = sharedBroker()

describe('queue stats', () => {
  it('counts the tasks of all queues, and tells of the broker on stderr', async () => {
    await aClient(broker).enqueue('counted', 'welcome', null)

    const ran = await adminOf(broker)('queue', 'stats')

    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^counted +open +0 +1 +0 /m)
    expect(ran.err).toMatch(/^broker \S+, up /)
  })

  it('has borders and colours on a screen only', async () => {
    await aClient(broker).enqueue('screen', 'welcome', null)

    const screen = await adminOf(broker, { isScreen: true })('queue', 'stats')
    const pipe = await adminOf(broker)('queue', 'stats')

    expect(screen.out).toMatch(/┌─[^]*\u001b\[1mqueue\u001b\[22m/)
    expect(pipe.out).not.toMatch(/[│┌\u001b]/)
  })

  it('tells all about one queue, with its settings', async () => {
    await aClient(broker).enqueue('one', 'welcome', null)

    const ran = await adminOf(broker)('queue', 'stats', 'one')
    const json = await adminOf(broker)('queue', 'stats', 'one', '-o', 'json')

    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toMatch(/^attempts +5 failures, 3 losses$/m)
    expect(JSON.parse(json.out)).toMatchObject({
      schema: 1,
      queues: [{ queue: 'one', queued: 1, settings: { maxAttempts: 5 } }],
      broker: { epoch: 1 },
    })
  })

  it('exits with 3 if there is no such queue', async () => {
    const ran = await adminOf(broker)('queue', 'stats', 'nowhere')

    expect(ran).toMatchObject({ code: 3, out: '' })
    expect(ran.err).toContain('no queue "nowhere" (NOT_FOUND)')
  })

  it('says so if there are none', async () => {
    const ran = await adminOf(await aBroker())('queue', 'stats')

    expect(ran).toMatchObject({ code: 0, out: '' })
    expect(ran.err).toContain('there are no queues yet')
  })
})
