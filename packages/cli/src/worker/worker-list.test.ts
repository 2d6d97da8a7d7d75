// `worker list`: rendering, and against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf, aView } from '../../test/admin.ts'
import { aBroker } from '../../test/broker-process.ts'
import { aWorkerInfo } from '../../test/builders.ts'
import { aWorker, anEndlessHandler } from '../../test/sdk.ts'
import { renderWorkers } from './worker-render.ts'

describe('worker list', () => {
  it('lists the workers of the broker', async () => {
    const broker = await aBroker()
    const run = adminOf(broker)
    const { handler, started } = anEndlessHandler()
    await aWorker(broker, 'mail', { slow: handler })
    await run('task', 'enqueue', 'mail', 'slow')
    await started

    const table = await run('worker', 'list')
    const json = await run('worker', 'list', '-o', 'json')

    expect(table).toMatchObject({ code: 0, err: '' })
    expect(table.out).toMatch(/^worker-of-mail +[0-9a-f]{32} +ok +1\/4 .* zone=north$/m)
    expect(JSON.parse(json.out)).toMatchObject({
      schema: 1,
      workers: [{ name: 'worker-of-mail', labels: { zone: 'north' }, slots: 4, leases: 1 }],
    })
  })

  it('says so if there are none', async () => {
    const ran = await adminOf(await aBroker())('worker', 'list')

    expect(ran).toEqual({ code: 0, out: '', err: 'no worker is registered\n' })
  })
})

describe('renderWorkers', () => {
  it('has a line for each', () => {
    const workers = [
      aWorkerInfo({ labels: { gpu: true } }),
      aWorkerInfo({ name: 'w\u001b[2J', health: 'late', lastSeenAgoMs: 12_000 }),
    ]

    expect(renderWorkers(workers, aView()).split('\n').slice(1)).toEqual([
      'w1          2eb2f6c4b225ea4afd4043ea50ca261a  ok             1/4  1.5s ago  0.1.0    anonymous  gpu=true',
      'w\\u001b[2J  2eb2f6c4b225ea4afd4043ea50ca261a  late           1/4  12s ago   0.1.0    anonymous  -',
    ])
  })
})
