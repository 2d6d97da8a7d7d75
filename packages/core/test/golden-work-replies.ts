// Golden bytes of protocol 1: answers to the verbs of work, a refusal, and both pushes.

import type { ServerMessage } from '../src/protocol/codec.ts'
import { TqError } from '../src/error.ts'
import type { Replies } from '../src/protocol/reply.ts'
import type { Verb } from '../src/protocol/request.ts'
import { hex, NOW_MS, PAYLOAD, SESSION, TASK_1, TASK_2, TOKEN } from './golden-value.ts'

export interface GoldenReply {
  readonly name: string
  readonly message: ServerMessage
  readonly frame: Uint8Array
}

export const LSN: number = 4_294_967_300

/** The id of an answer is that of the golden request to the same verb. */
export function reply<Name extends Verb>(
  id: number,
  _verb: Name,
  result: Replies[Name],
  lsn: number = LSN,
): ServerMessage {
  return { kind: 'reply', id, result, lsn }
}

/** Answers to the verbs of connections, producers and workers; then refusals and pushes. */
export const GOLDEN_WORK_REPLIES: readonly GoldenReply[] = [
  {
    name: 'hello',
    message: reply(
      1,
      'hello',
      {
        protocol: 1,
        broker: { name: 'tq-broker', version: '0.1.0', epoch: 3 },
        session: SESSION,
        principal: 'mailer',
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
      0,
    ),
    frame: hex(`
      00 00 00 f4 94 01 01 88 a8 70 72 6f 74 6f 63 6f 6c 01 a6 62 72 6f 6b 65
      72 83 a4 6e 61 6d 65 a9 74 71 2d 62 72 6f 6b 65 72 a7 76 65 72 73 69 6f
      6e a5 30 2e 31 2e 30 a5 65 70 6f 63 68 03 a7 73 65 73 73 69 6f 6e c4 10
      a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af a9 70 72 69 6e 63 69 70
      61 6c a6 6d 61 69 6c 65 72 ab 68 65 61 72 74 62 65 61 74 4d 73 cd 13 88
      ac 77 6f 72 6b 65 72 44 65 61 64 4d 73 cd 3a 98 a6 77 61 6c 6c 4d 73 cf
      00 00 01 a1 f8 66 0d 00 a6 6c 69 6d 69 74 73 85 ad 66 72 61 6d 65 42 79
      74 65 73 4d 61 78 ce 00 40 00 00 af 70 61 79 6c 6f 61 64 42 79 74 65 73
      4d 61 78 ce 00 10 00 00 ae 72 65 73 75 6c 74 42 79 74 65 73 4d 61 78 ce
      00 10 00 00 a8 69 74 65 6d 73 4d 61 78 cd 03 e8 ab 69 6e 46 6c 69 67 68
      74 4d 61 78 cd 01 00 00
    `),
  },
  {
    name: 'ping',
    message: reply(2, 'ping', { wallMs: NOW_MS }, 0),
    frame: hex(`
      00 00 00 15 94 01 02 81 a6 77 61 6c 6c 4d 73 cf 00 00 01 a1 f8 66 0d 00
      00
    `),
  },
  {
    name: 'abort',
    message: reply(3, 'abort', { aborted: true }, 0),
    frame: hex(`00 00 00 0e 94 01 03 81 a7 61 62 6f 72 74 65 64 c3 00`),
  },
  {
    name: 'register',
    message: reply(4, 'register', { worker: SESSION }),
    frame: hex(`
      00 00 00 26 94 01 04 81 a6 77 6f 72 6b 65 72 c4 10 a0 a1 a2 a3 a4 a5 a6
      a7 a8 a9 aa ab ac ad ae af cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'leave',
    message: reply(5, 'leave', { released: 2 }),
    frame: hex(`
      00 00 00 17 94 01 05 81 a8 72 65 6c 65 61 73 65 64 02 cf 00 00 00 01 00
      00 00 04
    `),
  },
  {
    name: 'enqueue',
    message: reply(6, 'enqueue', { count: 2 }),
    frame: hex(`00 00 00 14 94 01 06 81 a5 63 6f 75 6e 74 02 cf 00 00 00 01 00 00 00 04`),
  },
  {
    name: 'enqueue with every option',
    message: reply(7, 'enqueue', { count: 1, ids: [TASK_2], existing: [0] }),
    frame: hex(`
      00 00 00 36 94 01 07 83 a5 63 6f 75 6e 74 01 a3 69 64 73 91 c4 10 01 a1
      f8 66 0d 00 70 01 92 ee 33 58 7d a2 c7 ec a8 65 78 69 73 74 69 6e 67 91
      00 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'claim',
    message: reply(8, 'claim', {
      tasks: [
        [TASK_1, TOKEN, 'mail', 'mail.send', 1, PAYLOAD, { timeoutMs: 3_600_000 }],
        [
          TASK_2,
          TOKEN + 1,
          'mail',
          'mail.send',
          2,
          PAYLOAD,
          {
            priority: 200,
            headers: { tenant: 'grüße' },
            trace: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
            timeoutMs: 30_000,
            failures: 1,
          },
        ],
      ],
      leaseMs: 19_990,
    }),
    frame: hex(`
      00 00 01 3a 94 01 08 82 a5 74 61 73 6b 73 92 97 c4 10 01 a1 f8 66 0d 00
      70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03 00 00 00 11 a4 6d 61 69 6c
      a9 6d 61 69 6c 2e 73 65 6e 64 01 c4 14 81 a2 74 6f af 61 64 61 40 65 78
      61 6d 70 6c 65 2e 6f 72 67 81 a9 74 69 6d 65 6f 75 74 4d 73 ce 00 36 ee
      80 97 c4 10 01 a1 f8 66 0d 00 70 01 92 ee 33 58 7d a2 c7 ec cf 00 00 00
      03 00 00 00 12 a4 6d 61 69 6c a9 6d 61 69 6c 2e 73 65 6e 64 02 c4 14 81
      a2 74 6f af 61 64 61 40 65 78 61 6d 70 6c 65 2e 6f 72 67 85 a8 70 72 69
      6f 72 69 74 79 cc c8 a7 68 65 61 64 65 72 73 81 a6 74 65 6e 61 6e 74 a7
      67 72 c3 bc c3 9f 65 a5 74 72 61 63 65 81 ab 74 72 61 63 65 70 61 72 65
      6e 74 d9 37 30 30 2d 34 62 66 39 32 66 33 35 37 37 62 33 34 64 61 36 61
      33 63 65 39 32 39 64 30 65 30 65 34 37 33 36 2d 30 30 66 30 36 37 61 61
      30 62 61 39 30 32 62 37 2d 30 31 a9 74 69 6d 65 6f 75 74 4d 73 cd 75 30
      a8 66 61 69 6c 75 72 65 73 01 a7 6c 65 61 73 65 4d 73 cd 4e 16 cf 00 00
      00 01 00 00 00 04
    `),
  },
  {
    name: 'start',
    message: reply(9, 'start', { ok: 1 }),
    frame: hex(`00 00 00 11 94 01 09 81 a2 6f 6b 01 cf 00 00 00 01 00 00 00 04`),
  },
  {
    name: 'heartbeat',
    message: reply(10, 'heartbeat', { stop: [[TASK_1, TOKEN, 'cancelled']], released: 1 }, 0),
    frame: hex(`
      00 00 00 3b 94 01 0a 82 a4 73 74 6f 70 91 93 c4 10 01 a1 f8 66 0d 00 70
      00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03 00 00 00 11 a9 63 61 6e 63 65
      6c 6c 65 64 a8 72 65 6c 65 61 73 65 64 01 00
    `),
  },
  {
    name: 'progress',
    message: reply(11, 'progress', { ok: 1 }, 0),
    frame: hex(`00 00 00 09 94 01 0b 81 a2 6f 6b 01 00`),
  },
  {
    name: 'complete',
    message: reply(12, 'complete', {
      ok: 0,
      already: [0],
      refused: [[1, 'STALE_LEASE', 'token 12884901906 does not hold the task any more']],
    }),
    frame: hex(`
      00 00 00 65 94 01 0c 83 a2 6f 6b 00 a7 61 6c 72 65 61 64 79 91 00 a7 72
      65 66 75 73 65 64 91 93 01 ab 53 54 41 4c 45 5f 4c 45 41 53 45 d9 31 74
      6f 6b 65 6e 20 31 32 38 38 34 39 30 31 39 30 36 20 64 6f 65 73 20 6e 6f
      74 20 68 6f 6c 64 20 74 68 65 20 74 61 73 6b 20 61 6e 79 20 6d 6f 72 65
      cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'fail',
    message: reply(13, 'fail', {
      ok: 2,
      outcomes: [
        ['dead', 0],
        ['retrying', 2_000],
      ],
    }),
    frame: hex(`
      00 00 00 2f 94 01 0d 82 a2 6f 6b 02 a8 6f 75 74 63 6f 6d 65 73 92 92 a4
      64 65 61 64 00 92 a8 72 65 74 72 79 69 6e 67 cd 07 d0 cf 00 00 00 01 00
      00 00 04
    `),
  },
  {
    name: 'release',
    message: reply(14, 'release', { ok: 1 }),
    frame: hex(`00 00 00 11 94 01 0e 81 a2 6f 6b 01 cf 00 00 00 01 00 00 00 04`),
  },
  {
    name: 'refusal',
    message: {
      kind: 'refusal',
      id: 6,
      error: new TqError('BAD_REQUEST', 'tasks[3].options.priority must be an integer', {
        field: 'tasks[3].options.priority',
        index: 3,
      }),
    },
    frame: hex(`
      00 00 00 65 95 02 06 ab 42 41 44 5f 52 45 51 55 45 53 54 d9 2c 74 61 73
      6b 73 5b 33 5d 2e 6f 70 74 69 6f 6e 73 2e 70 72 69 6f 72 69 74 79 20 6d
      75 73 74 20 62 65 20 61 6e 20 69 6e 74 65 67 65 72 82 a5 66 69 65 6c 64
      b9 74 61 73 6b 73 5b 33 5d 2e 6f 70 74 69 6f 6e 73 2e 70 72 69 6f 72 69
      74 79 a5 69 6e 64 65 78 03
    `),
  },
  {
    name: 'push stop',
    message: { kind: 'push', channel: 'stop', data: [[TASK_1, TOKEN, 'timed_out']] },
    frame: hex(`
      00 00 00 2e 93 03 a4 73 74 6f 70 91 93 c4 10 01 a1 f8 66 0d 00 70 00 92
      eb 30 55 7a 9f c4 e9 cf 00 00 00 03 00 00 00 11 a9 74 69 6d 65 64 5f 6f
      75 74
    `),
  },
  {
    name: 'push closing',
    message: {
      kind: 'push',
      channel: 'closing',
      data: { reason: 'the broker stops', graceMs: 30_000 },
    },
    frame: hex(`
      00 00 00 2e 93 03 a7 63 6c 6f 73 69 6e 67 82 a6 72 65 61 73 6f 6e b0 74
      68 65 20 62 72 6f 6b 65 72 20 73 74 6f 70 73 a7 67 72 61 63 65 4d 73 cd
      75 30
    `),
  },
]
