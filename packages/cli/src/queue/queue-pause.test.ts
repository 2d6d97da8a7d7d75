// `queue pause` and `queue resume` against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'
import { aClient } from '../../test/sdk.ts'

const broker = sharedBroker()

describe('queue pause and resume', () => {
  it('change the queue, and say so on stderr', async () => {
    const run = adminOf(broker)
    await aClient(broker).enqueue('mail', 'welcome', null)

    const paused = await run('queue', 'pause', 'mail', '--reason', 'provider is down')
    const shown = await run('queue', 'stats', 'mail')
    const resumed = await run('queue', 'resume', 'mail')

    expect(paused).toEqual({ code: 0, out: '', err: 'queue mail is paused\n' })
    expect(shown.out).toMatch(/^gate +paused: provider is down$/m)
    expect(resumed).toEqual({ code: 0, out: '', err: 'queue mail is open again\n' })
  })

  it('say so if there is nothing to change', async () => {
    const run = adminOf(broker)
    await aClient(broker).enqueue('same', 'welcome', null)

    const resumed = await run('queue', 'resume', 'same', '-o', 'json')
    await run('queue', 'pause', 'same')
    const paused = await run('queue', 'pause', 'same', '-o', 'json')

    expect(resumed).toMatchObject({ code: 0, err: 'queue same was not paused\n' })
    expect(JSON.parse(resumed.out)).toEqual({
      schema: 1,
      queue: 'same',
      paused: false,
      changed: false,
    })
    expect(paused).toMatchObject({ code: 0, err: 'queue same was paused already\n' })
    expect(JSON.parse(paused.out)).toMatchObject({ paused: true, changed: false })
  })

  it('refuse what is no name of a queue', async () => {
    const ran = await adminOf(broker)('queue', 'pause', '*')

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain("A queue's name begins with a letter or digit")
  })
})
