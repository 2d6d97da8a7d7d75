// Golden bytes of protocol 1: a frame of each verb of those who look after tasks and queues.

import { hex, TASK_1, TASK_2 } from './golden-value.ts'
import type { GoldenRequest } from './golden-work-requests.ts'

export const GOLDEN_OPERATOR_REQUESTS: readonly GoldenRequest[] = [
  {
    name: 'cancel',
    id: 15,
    request: { verb: 'cancel', ids: [TASK_1], reason: 'sent by mistake' },
    frame: hex(`
      00 00 00 39 94 00 0f a6 63 61 6e 63 65 6c 82 a3 69 64 73 91 c4 10 01 a1
      f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 a6 72 65 61 73 6f 6e af 73 65
      6e 74 20 62 79 20 6d 69 73 74 61 6b 65
    `),
  },
  {
    name: 'redrive',
    id: 16,
    request: { verb: 'redrive', ids: [TASK_1, TASK_2] },
    frame: hex(`
      00 00 00 35 94 00 10 a7 72 65 64 72 69 76 65 81 a3 69 64 73 92 c4 10 01
      a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 c4 10 01 a1 f8 66 0d 00 70
      01 92 ee 33 58 7d a2 c7 ec
    `),
  },
  {
    name: 'set-priority',
    id: 17,
    request: { verb: 'set-priority', ids: [TASK_1], priority: 255 },
    frame: hex(`
      00 00 00 33 94 00 11 ac 73 65 74 2d 70 72 69 6f 72 69 74 79 82 a3 69 64
      73 91 c4 10 01 a1 f8 66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 a8 70 72 69
      6f 72 69 74 79 cc ff
    `),
  },
  {
    name: 'get',
    id: 18,
    request: { verb: 'get', id: TASK_1, payload: true },
    frame: hex(`
      00 00 00 26 94 00 12 a3 67 65 74 82 a2 69 64 c4 10 01 a1 f8 66 0d 00 70
      00 92 eb 30 55 7a 9f c4 e9 a7 70 61 79 6c 6f 61 64 c3
    `),
  },
  {
    name: 'wait',
    id: 19,
    request: { verb: 'wait', id: TASK_1, waitMs: 10_000 },
    frame: hex(`
      00 00 00 28 94 00 13 a4 77 61 69 74 82 a2 69 64 c4 10 01 a1 f8 66 0d 00
      70 00 92 eb 30 55 7a 9f c4 e9 a6 77 61 69 74 4d 73 cd 27 10
    `),
  },
  {
    name: 'list',
    id: 20,
    request: {
      verb: 'list',
      queue: 'mail',
      state: 'dead',
      type: 'mail.send',
      limit: 50,
      cursor: 'c2Vl',
    },
    frame: hex(`
      00 00 00 41 94 00 14 a4 6c 69 73 74 85 a5 71 75 65 75 65 a4 6d 61 69 6c
      a5 73 74 61 74 65 a4 64 65 61 64 a4 74 79 70 65 a9 6d 61 69 6c 2e 73 65
      6e 64 a5 6c 69 6d 69 74 32 a6 63 75 72 73 6f 72 a4 63 32 56 6c
    `),
  },
  {
    name: 'stats',
    id: 21,
    request: { verb: 'stats', queue: 'mail' },
    frame: hex(`
      00 00 00 15 94 00 15 a5 73 74 61 74 73 81 a5 71 75 65 75 65 a4 6d 61 69
      6c
    `),
  },
  {
    name: 'workers',
    id: 22,
    request: { verb: 'workers' },
    frame: hex(`00 00 00 0c 94 00 16 a7 77 6f 72 6b 65 72 73 80`),
  },
  {
    name: 'startup-log',
    id: 23,
    request: { verb: 'startup-log' },
    frame: hex(`00 00 00 10 94 00 17 ab 73 74 61 72 74 75 70 2d 6c 6f 67 80`),
  },
  {
    name: 'queue-set',
    id: 24,
    request: {
      verb: 'queue-set',
      queue: 'mail',
      settings: {
        order: 'aging',
        agingMsPerLevel: 30_000,
        tasksMax: 1_000_000,
        retry: {
          kind: 'fixed',
          baseMs: 10_000,
          factor: 2,
          capMs: 3_600_000,
          jitter: 0.1,
          notRetryable: [],
        },
        retentionMs: 0,
        timeouts: {
          'mail.send': { kind: 'fixed', ms: 20_000 },
          '*': { kind: 'duration-hint', factor: 3, floorMs: 1_000, ceilingMs: 600_000 },
        },
      },
    },
    frame: hex(`
      00 00 01 08 94 00 18 a9 71 75 65 75 65 2d 73 65 74 82 a5 71 75 65 75 65
      a4 6d 61 69 6c a8 73 65 74 74 69 6e 67 73 86 a5 6f 72 64 65 72 a5 61 67
      69 6e 67 af 61 67 69 6e 67 4d 73 50 65 72 4c 65 76 65 6c cd 75 30 a8 74
      61 73 6b 73 4d 61 78 ce 00 0f 42 40 a5 72 65 74 72 79 86 a4 6b 69 6e 64
      a5 66 69 78 65 64 a6 62 61 73 65 4d 73 cd 27 10 a6 66 61 63 74 6f 72 02
      a5 63 61 70 4d 73 ce 00 36 ee 80 a6 6a 69 74 74 65 72 cb 3f b9 99 99 99
      99 99 9a ac 6e 6f 74 52 65 74 72 79 61 62 6c 65 90 ab 72 65 74 65 6e 74
      69 6f 6e 4d 73 00 a8 74 69 6d 65 6f 75 74 73 82 a9 6d 61 69 6c 2e 73 65
      6e 64 82 a4 6b 69 6e 64 a5 66 69 78 65 64 a2 6d 73 cd 4e 20 a1 2a 84 a4
      6b 69 6e 64 ad 64 75 72 61 74 69 6f 6e 2d 68 69 6e 74 a6 66 61 63 74 6f
      72 03 a7 66 6c 6f 6f 72 4d 73 cd 03 e8 a9 63 65 69 6c 69 6e 67 4d 73 ce
      00 09 27 c0
    `),
  },
  {
    name: 'queue-pause',
    id: 25,
    request: { verb: 'queue-pause', queue: 'mail', reason: 'provider is down' },
    frame: hex(`
      00 00 00 33 94 00 19 ab 71 75 65 75 65 2d 70 61 75 73 65 82 a5 71 75 65
      75 65 a4 6d 61 69 6c a6 72 65 61 73 6f 6e b0 70 72 6f 76 69 64 65 72 20
      69 73 20 64 6f 77 6e
    `),
  },
  {
    name: 'queue-resume',
    id: 26,
    request: { verb: 'queue-resume', queue: 'mail' },
    frame: hex(`
      00 00 00 1c 94 00 1a ac 71 75 65 75 65 2d 72 65 73 75 6d 65 81 a5 71 75
      65 75 65 a4 6d 61 69 6c
    `),
  },
  {
    name: 'queue-purge',
    id: 27,
    request: { verb: 'queue-purge', queue: 'mail', reason: 'test data', cursor: '20000-42' },
    frame: hex(`
      00 00 00 3c 94 00 1b ab 71 75 65 75 65 2d 70 75 72 67 65 83 a5 71 75 65
      75 65 a4 6d 61 69 6c a6 72 65 61 73 6f 6e a9 74 65 73 74 20 64 61 74 61
      a6 63 75 72 73 6f 72 a8 32 30 30 30 30 2d 34 32
    `),
  },
  {
    name: 'backup',
    id: 28,
    request: { verb: 'backup', cursor: '1-7' },
    frame: hex(`
      00 00 00 16 94 00 1c a6 62 61 63 6b 75 70 81 a6 63 75 72 73 6f 72 a3 31
      2d 37
    `),
  },
]
