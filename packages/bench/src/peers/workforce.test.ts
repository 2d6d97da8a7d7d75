// Workers of a peer that misbehaves: nothing of it stays unseen.

import { describe, expect, it } from 'vitest'
import type { LoadAnswer } from './load-message.ts'
import type { Peer, WorkerShift } from './peer.ts'
import { Workforce } from './workforce.ts'

describe('the workers of a comparison', () => {
  it('finish when every task has ended', async () => {
    const answer = await workWith(({ onTask, onEnd }) => {
      for (const number of [10, 11, 12]) {
        onTask(number)
        onEnd()
      }
    })
    expect(answer).toMatchObject({ verdict: { lost: 0, duplicated: 0, strange: 0 } })
  })

  it('tell a task that a peer lost, instead of waiting for ever', async () => {
    const answer = await workWith(({ onTask, onEnd }) => {
      onTask(10)
      onEnd()
      onTask(12)
      onEnd()
    })
    expect(answer).toMatchObject({ verdict: { lost: 1, duplicated: 0 } })
  })

  it('tell a task that a peer handed out twice', async () => {
    const answer = await workWith(({ onTask, onEnd }) => {
      for (const number of [10, 11, 11, 12]) {
        onTask(number)
        onEnd()
      }
    })
    expect(answer).toMatchObject({ verdict: { lost: 0, duplicated: 1 } })
  })

  it('fail with the error of a worker', async () => {
    const failing = workWith(({ onError }) => onError(new Error('the connection is lost')))
    await expect(failing).rejects.toThrow('the connection is lost')
  })

  it('are not done before a peer without answers to acknowledgements has taken them', async () => {
    let isSettled = false
    const settle = async (): Promise<void> => {
      await Promise.resolve()
      isSettled = true
    }
    await workWith(({ onTask, onEnd }) => {
      for (const number of [10, 11, 12]) {
        onTask(number)
        onEnd()
      }
    }, settle)
    expect(isSettled).toBe(true)
  })
})

/** Three tasks, from 10 on, and a peer that does as told as soon as its worker begins. */
async function workWith(
  play: (shift: WorkerShift) => void,
  settle: () => Promise<void> = () => Promise.resolve(),
): Promise<LoadAnswer> {
  const connectWorker: Peer['connectWorker'] = (_port, shift) =>
    Promise.resolve({
      begin: () => Promise.resolve(play(shift)),
      settle,
      close: () => Promise.resolve(),
    })
  const workforce = new Workforce({ first: 10, count: 3 }, 50)
  const peer = { connectWorker } as Peer
  await workforce.open({ peer, port: 0 }, { connections: 1, slots: 1 })
  return workforce.finish()
}
