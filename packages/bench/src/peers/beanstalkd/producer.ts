// A producer of beanstalkd: it has no command for many jobs, so puts are pipelined.

import type { PeerProducer } from '../peer.ts'
import { bytesOfBody, type TaskBody } from '../task-body.ts'
import { Connection } from './connection.ts'

/** beanstalkd's own middle of the road, as its clients send it. */
const PRIORITY = 1_024
const DELAY_S = 0
/** How long a worker may take before the job is handed out again, in s: longer than any run. */
const RUN_S = 600

export async function connectProducer(port: number): Promise<PeerProducer> {
  const connection = await Connection.open(port, (error) => {
    throw error // a load process that has lost its server ends
  })
  const put = (task: TaskBody, done: () => void, failed: (error: Error) => void): void => {
    const body = bytesOfBody(task)
    connection.send(`put ${PRIORITY} ${DELAY_S} ${RUN_S} ${body.length}`, body, ({ word }) => {
      if (word === 'INSERTED') done()
      else failed(new Error(`beanstalkd answered a put with ${word}`))
    })
  }
  return {
    one: (task) => new Promise((resolve, reject) => put(task, resolve, reject)),
    many: (tasks) =>
      new Promise((resolve, reject) => {
        let left = tasks.length
        const done = (): void => {
          left -= 1
          if (left === 0) resolve()
        }
        for (const task of tasks) put(task, done, reject)
      }),
    close: () => Promise.resolve(connection.close()),
  }
}
