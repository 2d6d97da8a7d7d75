// Golden bytes of protocol 1: at least one frame of every verb. A change here breaks every client.

import type { Request } from '../src/protocol/request.ts'
import { hex, NOW_MS, PAYLOAD, RESULT, SESSION, TASK_1, TASK_2, TOKEN } from './golden-value.ts'

export interface GoldenRequest {
  readonly name: string
  readonly id: number
  readonly request: Request
  readonly frame: Uint8Array
}

/** The verbs of connections, producers and workers; golden-operator-requests.ts has the others. */
export const GOLDEN_WORK_REQUESTS: readonly GoldenRequest[] = [
  {
    name: 'hello',
    id: 1,
    request: {
      verb: 'hello',
      protocol: 1,
      client: { name: 'tq-example', version: '0.1.0' },
      token: 'secret',
      session: SESSION,
    },
    frame: hex(`
      00 00 00 61 94 00 01 a5 68 65 6c 6c 6f 84 a8 70 72 6f 74 6f 63 6f 6c 01
      a6 63 6c 69 65 6e 74 82 a4 6e 61 6d 65 aa 74 71 2d 65 78 61 6d 70 6c 65
      a7 76 65 72 73 69 6f 6e a5 30 2e 31 2e 30 a5 74 6f 6b 65 6e a6 73 65 63
      72 65 74 a7 73 65 73 73 69 6f 6e c4 10 a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa
      ab ac ad ae af
    `),
  },
  {
    name: 'ping',
    id: 2,
    request: { verb: 'ping' },
    frame: hex(`00 00 00 09 94 00 02 a4 70 69 6e 67 80`),
  },
  {
    name: 'abort',
    id: 3,
    request: { verb: 'abort', id: 70_000 },
    frame: hex(`00 00 00 12 94 00 03 a5 61 62 6f 72 74 81 a2 69 64 ce 00 01 11 70`),
  },
  {
    name: 'register',
    id: 4,
    request: {
      verb: 'register',
      name: 'worker-1',
      version: '0.1.0',
      labels: { gpu: true, zone: 'eu-1', memoryGiB: 64 },
      slots: 8,
    },
    frame: hex(`
      00 00 00 52 94 00 04 a8 72 65 67 69 73 74 65 72 84 a4 6e 61 6d 65 a8 77
      6f 72 6b 65 72 2d 31 a7 76 65 72 73 69 6f 6e a5 30 2e 31 2e 30 a6 6c 61
      62 65 6c 73 83 a3 67 70 75 c3 a4 7a 6f 6e 65 a4 65 75 2d 31 a9 6d 65 6d
      6f 72 79 47 69 42 40 a5 73 6c 6f 74 73 08
    `),
  },
  {
    name: 'leave',
    id: 5,
    request: { verb: 'leave' },
    frame: hex(`00 00 00 0a 94 00 05 a5 6c 65 61 76 65 80`),
  },
  {
    name: 'enqueue',
    id: 6,
    request: {
      verb: 'enqueue',
      queue: 'mail',
      tasks: [
        { id: TASK_1, type: 'mail.send', payload: PAYLOAD, options: undefined },
        { id: TASK_2, type: 'mail.send', payload: PAYLOAD, options: { priority: 200 } },
      ],
      fresh: true,
    },
    frame: hex(`
      00 00 00 98 94 00 06 a7 65 6e 71 75 65 75 65 83 a5 71 75 65 75 65 a4 6d
      61 69 6c a5 74 61 73 6b 73 92 94 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30
      55 7a 9f c4 e9 a9 6d 61 69 6c 2e 73 65 6e 64 c4 14 81 a2 74 6f af 61 64
      61 40 65 78 61 6d 70 6c 65 2e 6f 72 67 c0 94 c4 10 01 a1 f8 66 0d 00 70
      01 92 ee 33 58 7d a2 c7 ec a9 6d 61 69 6c 2e 73 65 6e 64 c4 14 81 a2 74
      6f af 61 64 61 40 65 78 61 6d 70 6c 65 2e 6f 72 67 81 a8 70 72 69 6f 72
      69 74 79 cc c8 a5 66 72 65 73 68 c3
    `),
  },
  {
    name: 'enqueue with every option',
    id: 7,
    request: {
      verb: 'enqueue',
      queue: 'mail',
      tasks: [
        {
          id: undefined,
          type: 'mail.send',
          payload: PAYLOAD,
          options: {
            priority: 7,
            runAtMs: NOW_MS + 60_000,
            ttlMs: 3_600_000,
            idempotencyKey: 'welcome-42',
            maxAttempts: 3,
            maxLost: 2,
            retry: {
              kind: 'linear',
              baseMs: 1_000,
              factor: 1.5,
              capMs: 60_000,
              jitter: 0,
              notRetryable: ['BadAddress'],
            },
            timeoutMs: 30_000,
            durationHintMs: 1_200,
            sizeHintBytes: 5_000_000_000,
            requires: { zone: 'eu-1' },
            headers: { tenant: 'grüße' },
            trace: {
              traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
              tracestate: 'a=1',
            },
          },
        },
      ],
      fresh: false,
      sentAgoMs: 1_500,
    },
    frame: hex(`
      00 00 01 bf 94 00 07 a7 65 6e 71 75 65 75 65 84 a5 71 75 65 75 65 a4 6d
      61 69 6c a5 74 61 73 6b 73 91 94 c0 a9 6d 61 69 6c 2e 73 65 6e 64 c4 14
      81 a2 74 6f af 61 64 61 40 65 78 61 6d 70 6c 65 2e 6f 72 67 8d a8 70 72
      69 6f 72 69 74 79 07 a7 72 75 6e 41 74 4d 73 cf 00 00 01 a1 f8 66 f7 60
      a5 74 74 6c 4d 73 ce 00 36 ee 80 ae 69 64 65 6d 70 6f 74 65 6e 63 79 4b
      65 79 aa 77 65 6c 63 6f 6d 65 2d 34 32 ab 6d 61 78 41 74 74 65 6d 70 74
      73 03 a7 6d 61 78 4c 6f 73 74 02 a5 72 65 74 72 79 86 a4 6b 69 6e 64 a6
      6c 69 6e 65 61 72 a6 62 61 73 65 4d 73 cd 03 e8 a6 66 61 63 74 6f 72 cb
      3f f8 00 00 00 00 00 00 a5 63 61 70 4d 73 cd ea 60 a6 6a 69 74 74 65 72
      00 ac 6e 6f 74 52 65 74 72 79 61 62 6c 65 91 aa 42 61 64 41 64 64 72 65
      73 73 a9 74 69 6d 65 6f 75 74 4d 73 cd 75 30 ae 64 75 72 61 74 69 6f 6e
      48 69 6e 74 4d 73 cd 04 b0 ad 73 69 7a 65 48 69 6e 74 42 79 74 65 73 cf
      00 00 00 01 2a 05 f2 00 a8 72 65 71 75 69 72 65 73 81 a4 7a 6f 6e 65 a4
      65 75 2d 31 a7 68 65 61 64 65 72 73 81 a6 74 65 6e 61 6e 74 a7 67 72 c3
      bc c3 9f 65 a5 74 72 61 63 65 82 ab 74 72 61 63 65 70 61 72 65 6e 74 d9
      37 30 30 2d 34 62 66 39 32 66 33 35 37 37 62 33 34 64 61 36 61 33 63 65
      39 32 39 64 30 65 30 65 34 37 33 36 2d 30 30 66 30 36 37 61 61 30 62 61
      39 30 32 62 37 2d 30 31 aa 74 72 61 63 65 73 74 61 74 65 a3 61 3d 31 a5
      66 72 65 73 68 c2 a9 73 65 6e 74 41 67 6f 4d 73 cd 05 dc
    `),
  },
  {
    name: 'claim',
    id: 8,
    request: {
      verb: 'claim',
      queues: ['mail', 'reports'],
      max: 16,
      waitMs: 30_000,
      leaseMs: 20_000,
      start: true,
      claim: 1,
      order: 'round',
      weights: { mail: 3 },
      minPriority: 10,
    },
    frame: hex(`
      00 00 00 6f 94 00 08 a5 63 6c 61 69 6d 89 a6 71 75 65 75 65 73 92 a4 6d
      61 69 6c a7 72 65 70 6f 72 74 73 a3 6d 61 78 10 a6 77 61 69 74 4d 73 cd
      75 30 a7 6c 65 61 73 65 4d 73 cd 4e 20 a5 73 74 61 72 74 c3 a5 63 6c 61
      69 6d 01 a5 6f 72 64 65 72 a5 72 6f 75 6e 64 a7 77 65 69 67 68 74 73 81
      a4 6d 61 69 6c 03 ab 6d 69 6e 50 72 69 6f 72 69 74 79 0a
    `),
  },
  {
    name: 'start',
    id: 9,
    request: { verb: 'start', tasks: [{ id: TASK_1, token: TOKEN }] },
    frame: hex(`
      00 00 00 2d 94 00 09 a5 73 74 61 72 74 81 a5 74 61 73 6b 73 91 92 c4 10
      01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03 00 00 00
      11
    `),
  },
  {
    name: 'heartbeat',
    id: 10,
    request: {
      verb: 'heartbeat',
      session: SESSION,
      leases: [{ id: TASK_1, token: TOKEN }],
      received: 1,
    },
    frame: hex(`
      00 00 00 56 94 00 0a a9 68 65 61 72 74 62 65 61 74 83 a7 73 65 73 73 69
      6f 6e c4 10 a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af a6 6c 65 61
      73 65 73 91 92 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf
      00 00 00 03 00 00 00 11 a8 72 65 63 65 69 76 65 64 01
    `),
  },
  {
    name: 'progress',
    id: 11,
    request: {
      verb: 'progress',
      tasks: [{ id: TASK_1, token: TOKEN, percent: 12.5, note: 'page 3 of 24' }],
    },
    frame: hex(`
      00 00 00 46 94 00 0b a8 70 72 6f 67 72 65 73 73 81 a5 74 61 73 6b 73 91
      94 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03
      00 00 00 11 cb 40 29 00 00 00 00 00 00 ac 70 61 67 65 20 33 20 6f 66 20
      32 34
    `),
  },
  {
    name: 'complete',
    id: 12,
    request: {
      verb: 'complete',
      tasks: [
        { id: TASK_1, token: TOKEN, result: RESULT },
        { id: TASK_2, token: TOKEN + 1, result: undefined },
      ],
    },
    frame: hex(`
      00 00 00 50 94 00 0c a8 63 6f 6d 70 6c 65 74 65 81 a5 74 61 73 6b 73 92
      93 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03
      00 00 00 11 c4 01 c3 93 c4 10 01 a1 f8 66 0d 00 70 01 92 ee 33 58 7d a2
      c7 ec cf 00 00 00 03 00 00 00 12 c0
    `),
  },
  {
    name: 'fail',
    id: 13,
    request: {
      verb: 'fail',
      tasks: [
        {
          id: TASK_1,
          token: TOKEN,
          error: { message: 'no such address', type: 'BadAddress', stack: 'at send' },
          retryable: false,
        },
        { id: TASK_2, token: TOKEN + 1, error: { message: 'busy' }, retryAfterMs: 2_000 },
      ],
    },
    frame: hex(`
      00 00 00 aa 94 00 0d a4 66 61 69 6c 81 a5 74 61 73 6b 73 92 94 c4 10 01
      a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03 00 00 00 11
      83 a7 6d 65 73 73 61 67 65 af 6e 6f 20 73 75 63 68 20 61 64 64 72 65 73
      73 a4 74 79 70 65 aa 42 61 64 41 64 64 72 65 73 73 a5 73 74 61 63 6b a7
      61 74 20 73 65 6e 64 81 a9 72 65 74 72 79 61 62 6c 65 c2 94 c4 10 01 a1
      f8 66 0d 00 70 01 92 ee 33 58 7d a2 c7 ec cf 00 00 00 03 00 00 00 12 81
      a7 6d 65 73 73 61 67 65 a4 62 75 73 79 81 ac 72 65 74 72 79 41 66 74 65
      72 4d 73 cd 07 d0
    `),
  },
  {
    name: 'release',
    id: 14,
    request: { verb: 'release', tasks: [{ id: TASK_1, token: TOKEN }] },
    frame: hex(`
      00 00 00 2f 94 00 0e a7 72 65 6c 65 61 73 65 81 a5 74 61 73 6b 73 91 92
      c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 cf 00 00 00 03 00
      00 00 11
    `),
  },
]
