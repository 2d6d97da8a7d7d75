// A worker of beanstalkd, with as many jobs at a time as it has slots.
//
// A reserve that finds nothing holds up every command behind it on its connection, and a job can be
// deleted only over the connection that reserved it. So the worker asks with reserves that do not
// wait, one for each free slot, as long as they find something; when the last answer is in and
// there was nothing, a single reserve waits.

import type { PeerWorker, WorkerShift } from '../peer.ts'
import { numberInBytes } from '../task-body.ts'
import { Connection } from './connection.ts'
import type { Reply } from './reply-parser.ts'

const RESERVE_NOW = 'reserve-with-timeout 0'
/** In s; a job that comes ends the wait at once. */
const RESERVE_WAITING = 'reserve-with-timeout 5'

export async function connectWorker(port: number, shift: WorkerShift): Promise<PeerWorker> {
  const connection = await Connection.open(port, shift.onError)
  const worker = new Worker(connection, shift)
  return {
    begin: () => Promise.resolve(worker.begin()),
    close: () => Promise.resolve(connection.close()),
  }
}

class Worker {
  readonly #connection: Connection
  readonly #shift: WorkerShift
  #reserves = 0
  #deletes = 0

  constructor(connection: Connection, shift: WorkerShift) {
    this.#connection = connection
    this.#shift = shift
  }

  begin(): void {
    this.#reserve(RESERVE_WAITING)
  }

  #reserve(line: string): void {
    this.#reserves += 1
    this.#connection.send(line, undefined, (reply) => this.#reserved(reply))
  }

  #reserved(reply: Reply): void {
    this.#reserves -= 1
    const { word, words, body } = reply
    if (word === 'RESERVED' && body !== undefined) {
      this.#shift.onTask(numberInBytes(body))
      this.#deletes += 1
      this.#connection.send(`delete ${words[0]}`, undefined, (answer) => this.#deleted(answer))
      // The handler is done, and the delete stands before the reserves that are sent now.
      while (this.#reserves < this.#shift.slots) this.#reserve(RESERVE_NOW)
    } else if (word === 'TIMED_OUT' || word === 'DEADLINE_SOON') this.#waitIfIdle()
    else this.#shift.onError(new Error(`beanstalkd answered a reserve with ${word}`))
  }

  #deleted({ word }: Reply): void {
    this.#deletes -= 1
    if (word === 'DELETED') this.#shift.onEnd()
    else this.#shift.onError(new Error(`beanstalkd answered a delete with ${word}`))
    this.#waitIfIdle()
  }

  #waitIfIdle(): void {
    if (this.#reserves === 0 && this.#deletes === 0) this.#reserve(RESERVE_WAITING)
  }
}
