// Golden bytes of protocol 1: answers to the verbs of those who look after tasks and queues.

import type { Replies } from '../src/protocol/reply.ts'
import { hex, NOW_MS, PAYLOAD, RESULT, SESSION, TASK_1, TOKEN } from './golden-value.ts'
import { LSN, reply, type GoldenReply } from './golden-work-replies.ts'

const SETTINGS: Replies['queue-set']['settings'] = {
  order: 'aging',
  agingMsPerLevel: 30_000,
  tasksMax: 1_000_000,
  maxAttempts: 5,
  maxLost: 3,
  retry: {
    kind: 'fixed',
    baseMs: 10_000,
    factor: 2,
    capMs: 3_600_000,
    jitter: 0.1,
    notRetryable: [],
  },
  retentionMs: 0,
  retentionCount: 100_000,
  deadRetentionMs: 604_800_000,
  deadRetentionCount: 100_000,
  timeouts: { 'mail.send': { kind: 'fixed', ms: 20_000 } },
}

export const GOLDEN_OPERATOR_REPLIES: readonly GoldenReply[] = [
  {
    name: 'cancel',
    message: reply(15, 'cancel', { ok: 1, outcomes: ['requested'] }),
    frame: hex(`
      00 00 00 25 94 01 0f 82 a2 6f 6b 01 a8 6f 75 74 63 6f 6d 65 73 91 a9 72
      65 71 75 65 73 74 65 64 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'redrive',
    message: reply(16, 'redrive', {
      ok: 1,
      refused: [[1, 'INVALID_STATE', 'the task has not ended']],
    }),
    frame: hex(`
      00 00 00 41 94 01 10 82 a2 6f 6b 01 a7 72 65 66 75 73 65 64 91 93 01 ad
      49 4e 56 41 4c 49 44 5f 53 54 41 54 45 b6 74 68 65 20 74 61 73 6b 20 68
      61 73 20 6e 6f 74 20 65 6e 64 65 64 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'set-priority',
    message: reply(17, 'set-priority', { ok: 1 }),
    frame: hex(`00 00 00 11 94 01 11 81 a2 6f 6b 01 cf 00 00 00 01 00 00 00 04`),
  },
  {
    name: 'get',
    message: reply(18, 'get', {
      id: TASK_1,
      queue: 'mail',
      type: 'mail.send',
      state: 'completed',
      priority: 128,
      attempt: 1,
      failures: 0,
      losses: 0,
      generation: 0,
      maxAttempts: 5,
      maxLost: 3,
      createdAtMs: NOW_MS,
      timeoutMs: 3_600_000,
      payloadBytes: 20,
      end: { atMs: NOW_MS + 900, reason: 'completed', result: RESULT },
      history: [
        {
          attempt: 1,
          generation: 0,
          transitions: [
            { state: 'assigned', reason: 'claimed', atMs: NOW_MS + 100 },
            { state: 'running', reason: 'started', atMs: NOW_MS + 100 },
            { state: 'completed', reason: 'completed', atMs: NOW_MS + 900 },
          ],
          worker: 'worker-1',
          token: TOKEN,
        },
      ],
      payload: PAYLOAD,
    }),
    frame: hex(`
      00 00 01 e8 94 01 12 de 00 11 a2 69 64 c4 10 01 a1 f8 66 0d 00 70 00 92
      eb 30 55 7a 9f c4 e9 a5 71 75 65 75 65 a4 6d 61 69 6c a4 74 79 70 65 a9
      6d 61 69 6c 2e 73 65 6e 64 a5 73 74 61 74 65 a9 63 6f 6d 70 6c 65 74 65
      64 a8 70 72 69 6f 72 69 74 79 cc 80 a7 61 74 74 65 6d 70 74 01 a8 66 61
      69 6c 75 72 65 73 00 a6 6c 6f 73 73 65 73 00 aa 67 65 6e 65 72 61 74 69
      6f 6e 00 ab 6d 61 78 41 74 74 65 6d 70 74 73 05 a7 6d 61 78 4c 6f 73 74
      03 ab 63 72 65 61 74 65 64 41 74 4d 73 cf 00 00 01 a1 f8 66 0d 00 a9 74
      69 6d 65 6f 75 74 4d 73 ce 00 36 ee 80 ac 70 61 79 6c 6f 61 64 42 79 74
      65 73 14 a3 65 6e 64 83 a4 61 74 4d 73 cf 00 00 01 a1 f8 66 10 84 a6 72
      65 61 73 6f 6e a9 63 6f 6d 70 6c 65 74 65 64 a6 72 65 73 75 6c 74 c4 01
      c3 a7 68 69 73 74 6f 72 79 91 85 a7 61 74 74 65 6d 70 74 01 aa 67 65 6e
      65 72 61 74 69 6f 6e 00 ab 74 72 61 6e 73 69 74 69 6f 6e 73 93 83 a5 73
      74 61 74 65 a8 61 73 73 69 67 6e 65 64 a6 72 65 61 73 6f 6e a7 63 6c 61
      69 6d 65 64 a4 61 74 4d 73 cf 00 00 01 a1 f8 66 0d 64 83 a5 73 74 61 74
      65 a7 72 75 6e 6e 69 6e 67 a6 72 65 61 73 6f 6e a7 73 74 61 72 74 65 64
      a4 61 74 4d 73 cf 00 00 01 a1 f8 66 0d 64 83 a5 73 74 61 74 65 a9 63 6f
      6d 70 6c 65 74 65 64 a6 72 65 61 73 6f 6e a9 63 6f 6d 70 6c 65 74 65 64
      a4 61 74 4d 73 cf 00 00 01 a1 f8 66 10 84 a6 77 6f 72 6b 65 72 a8 77 6f
      72 6b 65 72 2d 31 a5 74 6f 6b 65 6e cf 00 00 00 03 00 00 00 11 a7 70 61
      79 6c 6f 61 64 c4 14 81 a2 74 6f af 61 64 61 40 65 78 61 6d 70 6c 65 2e
      6f 72 67 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'wait',
    message: reply(19, 'wait', { done: false }),
    frame: hex(`00 00 00 13 94 01 13 81 a4 64 6f 6e 65 c2 cf 00 00 00 01 00 00 00 04`),
  },
  {
    name: 'list',
    message: reply(20, 'list', {
      tasks: [
        {
          id: TASK_1,
          queue: 'mail',
          type: 'mail.send',
          state: 'dead',
          priority: 128,
          attempt: 5,
          createdAtMs: NOW_MS,
          endedAtMs: NOW_MS + 400_000,
        },
      ],
      cursor: null,
    }),
    frame: hex(`
      00 00 00 93 94 01 14 82 a5 74 61 73 6b 73 91 88 a2 69 64 c4 10 01 a1 f8
      66 0d 00 70 00 92 eb 30 55 7a 9f c4 e9 a5 71 75 65 75 65 a4 6d 61 69 6c
      a4 74 79 70 65 a9 6d 61 69 6c 2e 73 65 6e 64 a5 73 74 61 74 65 a4 64 65
      61 64 a8 70 72 69 6f 72 69 74 79 cc 80 a7 61 74 74 65 6d 70 74 05 ab 63
      72 65 61 74 65 64 41 74 4d 73 cf 00 00 01 a1 f8 66 0d 00 a9 65 6e 64 65
      64 41 74 4d 73 cf 00 00 01 a1 f8 6c 27 80 a6 63 75 72 73 6f 72 c0 cf 00
      00 00 01 00 00 00 04
    `),
  },
  {
    name: 'stats',
    message: reply(21, 'stats', {
      queues: [
        {
          queue: 'mail',
          paused: true,
          pauseReason: 'provider is down',
          scheduled: 1,
          queued: 20_000,
          assigned: 0,
          running: 16,
          retrying: 2,
          kept: 40,
          dead: null,
          oldestReadyAgeMs: 61_000,
          enqueuedTotal: 20_100,
          completedTotal: 79,
          failedTotal: 3,
          deadTotal: 1,
          lostTotal: 1,
          waitingClaims: 0,
          settings: SETTINGS,
        },
      ],
      broker: {
        version: '0.1.0',
        epoch: 3,
        lsn: LSN,
        uptimeMs: 86_400_000,
        tasks: 20_019,
        workers: 1,
        connections: 3,
      },
    }),
    frame: hex(`
      00 00 02 52 94 01 15 82 a6 71 75 65 75 65 73 91 de 00 12 a5 71 75 65 75
      65 a4 6d 61 69 6c a6 70 61 75 73 65 64 c3 ab 70 61 75 73 65 52 65 61 73
      6f 6e b0 70 72 6f 76 69 64 65 72 20 69 73 20 64 6f 77 6e a9 73 63 68 65
      64 75 6c 65 64 01 a6 71 75 65 75 65 64 cd 4e 20 a8 61 73 73 69 67 6e 65
      64 00 a7 72 75 6e 6e 69 6e 67 10 a8 72 65 74 72 79 69 6e 67 02 a4 6b 65
      70 74 28 a4 64 65 61 64 c0 b0 6f 6c 64 65 73 74 52 65 61 64 79 41 67 65
      4d 73 cd ee 48 ad 65 6e 71 75 65 75 65 64 54 6f 74 61 6c cd 4e 84 ae 63
      6f 6d 70 6c 65 74 65 64 54 6f 74 61 6c 4f ab 66 61 69 6c 65 64 54 6f 74
      61 6c 03 a9 64 65 61 64 54 6f 74 61 6c 01 a9 6c 6f 73 74 54 6f 74 61 6c
      01 ad 77 61 69 74 69 6e 67 43 6c 61 69 6d 73 00 a8 73 65 74 74 69 6e 67
      73 8b a5 6f 72 64 65 72 a5 61 67 69 6e 67 af 61 67 69 6e 67 4d 73 50 65
      72 4c 65 76 65 6c cd 75 30 a8 74 61 73 6b 73 4d 61 78 ce 00 0f 42 40 ab
      6d 61 78 41 74 74 65 6d 70 74 73 05 a7 6d 61 78 4c 6f 73 74 03 a5 72 65
      74 72 79 86 a4 6b 69 6e 64 a5 66 69 78 65 64 a6 62 61 73 65 4d 73 cd 27
      10 a6 66 61 63 74 6f 72 02 a5 63 61 70 4d 73 ce 00 36 ee 80 a6 6a 69 74
      74 65 72 cb 3f b9 99 99 99 99 99 9a ac 6e 6f 74 52 65 74 72 79 61 62 6c
      65 90 ab 72 65 74 65 6e 74 69 6f 6e 4d 73 00 ae 72 65 74 65 6e 74 69 6f
      6e 43 6f 75 6e 74 ce 00 01 86 a0 af 64 65 61 64 52 65 74 65 6e 74 69 6f
      6e 4d 73 ce 24 0c 84 00 b2 64 65 61 64 52 65 74 65 6e 74 69 6f 6e 43 6f
      75 6e 74 ce 00 01 86 a0 a8 74 69 6d 65 6f 75 74 73 81 a9 6d 61 69 6c 2e
      73 65 6e 64 82 a4 6b 69 6e 64 a5 66 69 78 65 64 a2 6d 73 cd 4e 20 a6 62
      72 6f 6b 65 72 87 a7 76 65 72 73 69 6f 6e a5 30 2e 31 2e 30 a5 65 70 6f
      63 68 03 a3 6c 73 6e cf 00 00 00 01 00 00 00 04 a8 75 70 74 69 6d 65 4d
      73 ce 05 26 5c 00 a5 74 61 73 6b 73 cd 4e 33 a7 77 6f 72 6b 65 72 73 01
      ab 63 6f 6e 6e 65 63 74 69 6f 6e 73 03 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'workers',
    message: reply(22, 'workers', {
      workers: [
        {
          session: SESSION,
          name: 'worker-1',
          version: '0.1.0',
          labels: { gpu: true, zone: 'eu-1', memoryGiB: 64 },
          slots: 8,
          leases: 2,
          lastSeenAgoMs: 1_200,
          health: 'ok',
          principal: 'mailer',
        },
      ],
    }),
    frame: hex(`
      00 00 00 aa 94 01 16 81 a7 77 6f 72 6b 65 72 73 91 89 a7 73 65 73 73 69
      6f 6e c4 10 a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af a4 6e 61 6d
      65 a8 77 6f 72 6b 65 72 2d 31 a7 76 65 72 73 69 6f 6e a5 30 2e 31 2e 30
      a6 6c 61 62 65 6c 73 83 a3 67 70 75 c3 a4 7a 6f 6e 65 a4 65 75 2d 31 a9
      6d 65 6d 6f 72 79 47 69 42 40 a5 73 6c 6f 74 73 08 a6 6c 65 61 73 65 73
      02 ad 6c 61 73 74 53 65 65 6e 41 67 6f 4d 73 cd 04 b0 a6 68 65 61 6c 74
      68 a2 6f 6b a9 70 72 69 6e 63 69 70 61 6c a6 6d 61 69 6c 65 72 cf 00 00
      00 01 00 00 00 04
    `),
  },
  {
    name: 'startup-log',
    message: reply(23, 'startup-log', {
      reports: [
        {
          startedAtMs: NOW_MS,
          totalMs: 812,
          epoch: 3,
          lsn: LSN,
          abortedBefore: 'verify',
          steps: [{ name: 'load-tasks', ms: 640.5, counts: { tasks: 20_019 } }],
          warnings: [],
        },
      ],
    }),
    frame: hex(`
      00 00 00 9f 94 01 17 81 a7 72 65 70 6f 72 74 73 91 87 ab 73 74 61 72 74
      65 64 41 74 4d 73 cf 00 00 01 a1 f8 66 0d 00 a7 74 6f 74 61 6c 4d 73 cd
      03 2c a5 65 70 6f 63 68 03 a3 6c 73 6e cf 00 00 00 01 00 00 00 04 ad 61
      62 6f 72 74 65 64 42 65 66 6f 72 65 a6 76 65 72 69 66 79 a5 73 74 65 70
      73 91 83 a4 6e 61 6d 65 aa 6c 6f 61 64 2d 74 61 73 6b 73 a2 6d 73 cb 40
      84 04 00 00 00 00 00 a6 63 6f 75 6e 74 73 81 a5 74 61 73 6b 73 cd 4e 33
      a8 77 61 72 6e 69 6e 67 73 90 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'queue-set',
    message: reply(24, 'queue-set', { settings: SETTINGS }),
    frame: hex(`
      00 00 01 1b 94 01 18 81 a8 73 65 74 74 69 6e 67 73 8b a5 6f 72 64 65 72
      a5 61 67 69 6e 67 af 61 67 69 6e 67 4d 73 50 65 72 4c 65 76 65 6c cd 75
      30 a8 74 61 73 6b 73 4d 61 78 ce 00 0f 42 40 ab 6d 61 78 41 74 74 65 6d
      70 74 73 05 a7 6d 61 78 4c 6f 73 74 03 a5 72 65 74 72 79 86 a4 6b 69 6e
      64 a5 66 69 78 65 64 a6 62 61 73 65 4d 73 cd 27 10 a6 66 61 63 74 6f 72
      02 a5 63 61 70 4d 73 ce 00 36 ee 80 a6 6a 69 74 74 65 72 cb 3f b9 99 99
      99 99 99 9a ac 6e 6f 74 52 65 74 72 79 61 62 6c 65 90 ab 72 65 74 65 6e
      74 69 6f 6e 4d 73 00 ae 72 65 74 65 6e 74 69 6f 6e 43 6f 75 6e 74 ce 00
      01 86 a0 af 64 65 61 64 52 65 74 65 6e 74 69 6f 6e 4d 73 ce 24 0c 84 00
      b2 64 65 61 64 52 65 74 65 6e 74 69 6f 6e 43 6f 75 6e 74 ce 00 01 86 a0
      a8 74 69 6d 65 6f 75 74 73 81 a9 6d 61 69 6c 2e 73 65 6e 64 82 a4 6b 69
      6e 64 a5 66 69 78 65 64 a2 6d 73 cd 4e 20 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'queue-pause',
    message: reply(25, 'queue-pause', { changed: true }),
    frame: hex(`
      00 00 00 16 94 01 19 81 a7 63 68 61 6e 67 65 64 c3 cf 00 00 00 01 00 00
      00 04
    `),
  },
  {
    name: 'queue-resume',
    message: reply(26, 'queue-resume', { changed: true }),
    frame: hex(`
      00 00 00 16 94 01 1a 81 a7 63 68 61 6e 67 65 64 c3 cf 00 00 00 01 00 00
      00 04
    `),
  },
  {
    name: 'queue-purge',
    message: reply(27, 'queue-purge', { purged: 1_000, cursor: '41000-20019' }),
    frame: hex(`
      00 00 00 2a 94 01 1b 82 a6 70 75 72 67 65 64 cd 03 e8 a6 63 75 72 73 6f
      72 ab 34 31 30 30 30 2d 32 30 30 31 39 cf 00 00 00 01 00 00 00 04
    `),
  },
  {
    name: 'backup',
    message: reply(
      28,
      'backup',
      { bytes: hex('747162'), cursor: null, entries: 41_000, lsn: LSN },
      0,
    ),
    frame: hex(`
      00 00 00 30 94 01 1c 84 a5 62 79 74 65 73 c4 03 74 71 62 a6 63 75 72 73
      6f 72 c0 a7 65 6e 74 72 69 65 73 cd a0 28 a3 6c 73 6e cf 00 00 00 01 00
      00 00 04 00
    `),
  },
]
