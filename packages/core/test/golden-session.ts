// A short session in golden bytes, as docs/protocol.md shows it: one task from enqueue to its end.

import type { ServerMessage } from '../src/protocol/codec.ts'
import type { Request } from '../src/protocol/request.ts'
import { hex, NOW_MS, PAYLOAD, RESULT, SESSION, TASK_1, TOKEN } from './golden-value.ts'

export type SessionStep =
  | {
      readonly from: 'client'
      readonly name: string
      readonly id: number
      readonly request: Request
      readonly frame: Uint8Array
    }
  | {
      readonly from: 'broker'
      readonly name: string
      readonly message: ServerMessage
      readonly frame: Uint8Array
    }

export const GOLDEN_SESSION: readonly SessionStep[] = [
  {
    from: 'client',
    name: '1 hello',
    id: 1,
    request: {
      verb: 'hello',
      protocol: 1,
      client: { name: 'demo', version: '1' },
      session: SESSION,
    },
    frame: hex(`
      00 00 00 4a 94 00 01 a5 68 65 6c 6c 6f 83 a8 70 72 6f 74 6f 63 6f 6c 01
      a6 63 6c 69 65 6e 74 82 a4 6e 61 6d 65 a4 64 65 6d 6f a7 76 65 72 73 69
      6f 6e a1 31 a7 73 65 73 73 69 6f 6e c4 10 a0 a1 a2 a3 a4 a5 a6 a7 a8 a9
      aa ab ac ad ae af
    `),
  },
  {
    from: 'broker',
    name: '2 welcome',
    message: {
      kind: 'reply',
      id: 1,
      result: {
        protocol: 1,
        broker: { name: 'tq-broker', version: '0.1.0', epoch: 3 },
        session: SESSION,
        principal: 'anonymous',
        heartbeatMs: 5_000,
        workerDeadMs: 15_000,
        wallMs: NOW_MS,
        limits: {
          frameBytesMax: 4_194_304,
          payloadBytesMax: 1_048_576,
          resultBytesMax: 1_048_576,
          itemsMax: 1_000,
          inFlightMax: 256,
        },
      },
      lsn: 0,
    },
    frame: hex(`
      00 00 00 f7 94 01 01 88 a8 70 72 6f 74 6f 63 6f 6c 01 a6 62 72 6f 6b 65
      72 83 a4 6e 61 6d 65 a9 74 71 2d 62 72 6f 6b 65 72 a7 76 65 72 73 69 6f
      6e a5 30 2e 31 2e 30 a5 65 70 6f 63 68 03 a7 73 65 73 73 69 6f 6e c4 10
      a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af a9 70 72 69 6e 63 69 70
      61 6c a9 61 6e 6f 6e 79 6d 6f 75 73 ab 68 65 61 72 74 62 65 61 74 4d 73
      cd 13 88 ac 77 6f 72 6b 65 72 44 65 61 64 4d 73 cd 3a 98 a6 77 61 6c 6c
      4d 73 cf 00 00 01 a1 f8 66 0d 00 a6 6c 69 6d 69 74 73 85 ad 66 72 61 6d
      65 42 79 74 65 73 4d 61 78 ce 00 40 00 00 af 70 61 79 6c 6f 61 64 42 79
      74 65 73 4d 61 78 ce 00 10 00 00 ae 72 65 73 75 6c 74 42 79 74 65 73 4d
      61 78 ce 00 10 00 00 a8 69 74 65 6d 73 4d 61 78 cd 03 e8 ab 69 6e 46 6c
      69 67 68 74 4d 61 78 cd 01 00 00
    `),
  },
  {
    from: 'client',
    name: '3 enqueue',
    id: 2,
    request: {
      verb: 'enqueue',
      queue: 'mail',
      tasks: [{ id: TASK_1, type: 'mail.send', payload: PAYLOAD, options: undefined }],
      fresh: true,
    },
    frame: hex(`
      00 00 00 59 94 00 02 a7 65 6e 71 75 65 75 65 83 a5 71 75 65 75 65 a4 6d
      61 69 6c a5 74 61 73 6b 73 91 94 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30
      55 7a 9f c4 e9 a9 6d 61 69 6c 2e 73 65 6e 64 c4 14 81 a2 74 6f af 61 64
      61 40 65 78 61 6d 70 6c 65 2e 6f 72 67 c0 a5 66 72 65 73 68 c3
    `),
  },
  {
    from: 'broker',
    name: '4 enqueued',
    message: { kind: 'reply', id: 2, result: { count: 1 }, lsn: 101 },
    frame: hex(`00 00 00 0c 94 01 02 81 a5 63 6f 75 6e 74 01 65`),
  },
  {
    from: 'client',
    name: '5 register',
    id: 3,
    request: { verb: 'register', name: 'demo', version: '1', labels: {}, slots: 1 },
    frame: hex(`
      00 00 00 30 94 00 03 a8 72 65 67 69 73 74 65 72 84 a4 6e 61 6d 65 a4 64
      65 6d 6f a7 76 65 72 73 69 6f 6e a1 31 a6 6c 61 62 65 6c 73 80 a5 73 6c
      6f 74 73 01
    `),
  },
  {
    from: 'broker',
    name: '6 registered',
    message: { kind: 'reply', id: 3, result: { worker: SESSION }, lsn: 101 },
    frame: hex(`
      00 00 00 1e 94 01 03 81 a6 77 6f 72 6b 65 72 c4 10 a0 a1 a2 a3 a4 a5 a6
      a7 a8 a9 aa ab ac ad ae af 65
    `),
  },
  {
    from: 'client',
    name: '7 claim',
    id: 4,
    request: {
      verb: 'claim',
      queues: ['mail'],
      max: 1,
      waitMs: 30_000,
      start: true,
      claim: 1,
      order: 'round',
    },
    frame: hex(`
      00 00 00 40 94 00 04 a5 63 6c 61 69 6d 86 a6 71 75 65 75 65 73 91 a4 6d
      61 69 6c a3 6d 61 78 01 a6 77 61 69 74 4d 73 cd 75 30 a5 73 74 61 72 74
      c3 a5 63 6c 61 69 6d 01 a5 6f 72 64 65 72 a5 72 6f 75 6e 64
    `),
  },
  {
    from: 'broker',
    name: '8 claimed',
    message: {
      kind: 'reply',
      id: 4,
      result: {
        tasks: [[TASK_1, TOKEN, 'mail', 'mail.send', 1, PAYLOAD, { timeoutMs: 3_600_000 }]],
        leaseMs: 14_998,
      },
      lsn: 102,
    },
    frame: hex(`
      00 00 00 69 94 01 04 82 a5 74 61 73 6b 73 91 97 c4 10 01 a1 f8 66 0d 00
      70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03 00 00 00 11 a4 6d 61 69 6c
      a9 6d 61 69 6c 2e 73 65 6e 64 01 c4 14 81 a2 74 6f af 61 64 61 40 65 78
      61 6d 70 6c 65 2e 6f 72 67 81 a9 74 69 6d 65 6f 75 74 4d 73 ce 00 36 ee
      80 a7 6c 65 61 73 65 4d 73 cd 3a 96 66
    `),
  },
  {
    from: 'client',
    name: '9 heartbeat',
    id: 5,
    request: { verb: 'heartbeat', leases: [{ id: TASK_1, token: TOKEN }], received: 1 },
    frame: hex(`
      00 00 00 3c 94 00 05 a9 68 65 61 72 74 62 65 61 74 82 a6 6c 65 61 73 65
      73 91 92 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00
      00 03 00 00 00 11 a8 72 65 63 65 69 76 65 64 01
    `),
  },
  {
    from: 'broker',
    name: '10 renewed',
    message: { kind: 'reply', id: 5, result: {}, lsn: 0 },
    frame: hex(`00 00 00 05 94 01 05 80 00`),
  },
  {
    from: 'client',
    name: '11 complete',
    id: 6,
    request: { verb: 'complete', tasks: [{ id: TASK_1, token: TOKEN, result: RESULT }] },
    frame: hex(`
      00 00 00 33 94 00 06 a8 63 6f 6d 70 6c 65 74 65 81 a5 74 61 73 6b 73 91
      93 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03
      00 00 00 11 c4 01 c3
    `),
  },
  {
    from: 'broker',
    name: '12 completed',
    message: { kind: 'reply', id: 6, result: { ok: 1 }, lsn: 103 },
    frame: hex(`00 00 00 09 94 01 06 81 a2 6f 6b 01 67`),
  },
]
