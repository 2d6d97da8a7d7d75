// `queue purge` against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'
import { aClient, aWorker, anEndlessHandler } from '../../test/sdk.ts'

const broker = sharedBroker()

describe('queue purge', () => {
  it('removes what waits, and leaves what runs', async () => {
    const { handler, started } = anEndlessHandler()
    await aWorker(broker, 'mail', { slow: handler })
    const running = await aClient(broker).enqueue('mail', 'slow', null)
    await started
    await adminOf(broker)('queue', 'pause', 'mail')
    const waiting = await aClient(broker).enqueue('mail', 'slow', null)
    await aClient(broker).enqueue('mail', 'slow', null, { delayMs: 60_000 })

    const ran = await adminOf(broker)('queue', 'purge', 'mail', '--yes', '--reason', 'test data')

    expect(ran).toEqual({ code: 0, out: '', err: '2 tasks removed from queue mail\n' })
    expect((await aClient(broker).get(running.id)).state).toBe('running')
    expect((await adminOf(broker)('task', 'get', waiting.id)).code).toBe(3)
  })

  it('only says how many there are without --yes', async () => {
    const { id } = await aClient(broker).enqueue('kept', 'welcome', null)

    const ran = await adminOf(broker)('queue', 'purge', 'kept')

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toBe(
      'error: 1 waiting task of queue kept would be removed for good; add --yes to do it\n',
    )
    expect((await aClient(broker).get(id)).state).toBe('queued')
  })

  it('prints the count as JSON', async () => {
    await aClient(broker).enqueue('json', 'welcome', null)

    const ran = await adminOf(broker)('queue', 'purge', 'json', '--yes', '-o', 'json')

    expect(JSON.parse(ran.out)).toEqual({ schema: 1, queue: 'json', purged: 1 })
  })

  it('exits with 3 if there is no such queue', async () => {
    expect((await adminOf(broker)('queue', 'purge', 'nowhere', '--yes')).code).toBe(3)
  })
})
