// RabbitMQ: a message broker; a queue of persistent messages, confirmed to the producer.

import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import amqplib, { type ChannelModel } from 'amqplib'
import { packageVersion } from './package-version.ts'
import {
  INSTALL_PEERS,
  type Peer,
  type PeerProducer,
  type PeerWorker,
  type WorkerShift,
} from './peer.ts'
import { PHASE_NAMES } from './phase-name.ts'
import { ServerProcess } from './server-process.ts'
import { bytesOfBody, numberInBytes, type TaskBody } from './task-body.ts'

/** Not the command on the PATH: Debian's asks for root, and changes to a user of its own. */
const COMMAND = '/usr/lib/rabbitmq/bin/rabbitmq-server'
const INSTALLED = '/usr/lib/rabbitmq/lib'
const QUEUE = 'bench'
/** It listens a little before its users may log in; so often and so long apart, in ms. */
const LOGIN_TRIES = 100
const LOGIN_POLL_MS = 100
/** Long for a few commands of a queue, in ms; no figure contains it. */
const ACKS_PASSED_ON_MS = 500

type QueueArguments = Readonly<Record<string, string | number>>

/** Raft with one member: many confirms share a sync. */
export const rabbitQuorum: Peer = peerOf('rabbit-quorum', {
  durability: 'quorum queue of one member: its log synced before the confirm',
  queue: { 'x-queue-type': 'quorum' },
})

export const rabbitClassic: Peer = peerOf('rabbit-classic', {
  durability: 'durable classic queue (v2), persistent messages: confirmed without a sync',
  queue: { 'x-queue-type': 'classic', 'x-queue-version': 2 },
})

function peerOf(
  name: string,
  how: { readonly durability: string; readonly queue: QueueArguments },
): Peer {
  return {
    name,
    durability: `${how.durability}; a worker's acks have no answer`,
    batching: 'publishes pipelined, each confirmed',
    phases: PHASE_NAMES,
    install: INSTALL_PEERS,
    client: packageVersion('amqplib'),
    version: installedVersion,
    start: startServer,
    prepare: (port) => declareQueue(port, how.queue),
    connectProducer,
    connectWorker,
    countLeft,
  }
}

function installedVersion(): string | undefined {
  if (!existsSync(COMMAND) || !existsSync(INSTALLED)) return undefined
  const [folder] = readdirSync(INSTALLED).filter((name) => name.startsWith('rabbitmq_server-'))
  return folder?.slice('rabbitmq_server-'.length)
}

function startServer(): Promise<ServerProcess> {
  return ServerProcess.start({
    command: COMMAND,
    argv: () => [],
    // Without one of our own the node starts a port mapper that outlives it.
    companion: {
      command: 'epmd',
      argv: ({ morePorts }) => ['-address', '127.0.0.1', '-port', String(morePorts[0])],
    },
    env: ({ directory, port, morePorts }) => ({
      HOME: directory,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: String(morePorts[0]),
      RABBITMQ_NODENAME: `tq-bench-${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(morePorts[1]),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      RABBITMQ_MNESIA_BASE: `${directory}/data`,
      RABBITMQ_LOG_BASE: `${directory}/log`,
      RABBITMQ_LOGS: '-',
      RABBITMQ_PID_FILE: `${directory}/pid`,
      // Files that are not there: whatever the machine has set up for its own node stays out.
      RABBITMQ_CONFIG_FILE: `${directory}/none`,
      RABBITMQ_CONF_ENV_FILE: `${directory}/none`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${directory}/plugins`,
    }),
  })
}

async function declareQueue(port: number, queue: QueueArguments): Promise<void> {
  const connection = await logIn(port)
  const channel = await connection.createChannel()
  await channel.assertQueue(QUEUE, { durable: true, arguments: queue })
  await connection.close()
}

async function logIn(port: number): Promise<ChannelModel> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open(port)
    } catch (error) {
      if (attempt === LOGIN_TRIES) throw error
      await delay(LOGIN_POLL_MS)
    }
  }
}

async function open(port: number): Promise<ChannelModel> {
  const connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${port}`)
  connection.on('error', () => {}) // `close` follows, and each call that fails says so itself
  return connection
}

async function connectProducer(port: number): Promise<PeerProducer> {
  const connection = await open(port)
  const channel = await connection.createConfirmChannel()
  const publish = (task: TaskBody, onConfirm: (error: unknown) => void): void => {
    channel.sendToQueue(QUEUE, bytesOfBody(task), { persistent: true }, onConfirm)
  }
  return {
    one: (task) =>
      new Promise((resolve, reject) => {
        publish(task, (error) => (error === null ? resolve() : reject(error as Error)))
      }),
    many: (tasks) =>
      new Promise((resolve, reject) => {
        let left = tasks.length
        const onConfirm = (error: unknown): void => {
          left -= 1
          if (error !== null) reject(error as Error)
          else if (left === 0) resolve()
        }
        for (const task of tasks) publish(task, onConfirm)
      }),
    close: () => connection.close(),
  }
}

async function connectWorker(port: number, shift: WorkerShift): Promise<PeerWorker> {
  const connection = await open(port)
  connection.on('close', (error) => error !== undefined && shift.onError(error))
  const channel = await connection.createChannel()
  channel.on('error', shift.onError)
  await channel.prefetch(shift.slots)
  let consumer = ''
  return {
    begin: async () => {
      const { consumerTag } = await channel.consume(QUEUE, (message) => {
        if (message === null) return shift.onError(new Error('RabbitMQ ended the consumer'))
        shift.onTask(numberInBytes(message.content))
        channel.ack(message)
        shift.onEnd()
      })
      consumer = consumerTag
    },
    // A question behind the acks on the same channel is answered when it has taken them.
    settle: async () => void (await channel.checkQueue(QUEUE)),
    close: async () => {
      await channel.cancel(consumer)
      // A channel keeps acks back while a quorum queue has many of its commands to carry out, and
      // drops them when it closes; when it has passed them on cannot be asked.
      await delay(ACKS_PASSED_ON_MS)
      await channel.close()
      await connection.close()
    },
  }
}

async function countLeft(port: number): Promise<number> {
  const connection = await open(port)
  const channel = await connection.createChannel()
  const { messageCount } = await channel.checkQueue(QUEUE)
  await connection.close()
  return messageCount
}
