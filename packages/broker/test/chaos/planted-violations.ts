// Histories that break one law each: the checker has to find them all.

import { A, B, type Tell } from './history-builder.ts'

export const PLANTED_VIOLATIONS: readonly (readonly [law: string, tell: Tell])[] = [
  ['I1: an acknowledged task is lost', (producer) => void producer.enqueue(1, [A]).ok(2, 10)],
  [
    'I1: an acknowledged task is lost',
    // Only the SDK has said so.
    (producer) => void producer.enqueue(1, [A]).acknowledged(2, [A]),
  ],
  ['I1: a task is there that nobody enqueued', (producer) => void producer.end(A, { by: 1 })],
  [
    'I1: a task is there whose enqueue was refused',
    (producer) => void producer.enqueue(1, [A]).no(2, 'NO_SPACE').end(A, { by: 1 }),
  ],
  [
    'I1: a worker got another payload than the one that was enqueued',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker.lease(4, 11, A, 7, { h: 'other' }).report(8, 'complete', A, 7).ok(9, 12)
    },
  ],
  [
    'I1: an acknowledged result is lost',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { state: 'cancelled', reason: 'cancelled' })
      producer.ask(30, { v: 'cancel', x: [A] })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
    },
  ],
  [
    'I2: leases overlap in the order of commits',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8 })
      worker.lease(4, 11, A, 7).report(8, 'start', A, 7).ok(9, 14)
      other.lease(20, 13, A, 8).report(30, 'complete', A, 8).ok(31, 15)
    },
  ],
  [
    'I2: an older token was still good after a newer one had been granted',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8, losses: 1 })
      worker
        .lease(4, 11, A, 7)
        .ask(30, { v: 'heartbeat', n: 1, x: [[A, 7]] })
        .ok(31, 0)
      other.lease(20, 13, A, 8, { losses: 1 }).report(40, 'complete', A, 8).ok(41, 15)
    },
  ],
  [
    'I2: a handler ran without a lease',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker.run(6, A, 6).lease(7, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
    },
  ],
  [
    'I11: a lease was lost before its time, or giving it back counted as a loss',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8, losses: 1 })
      worker.lease(4, 11, A, 7).report(20, 'release', A, 7).ok(21, 12)
      other.lease(22, 13, A, 8, { losses: 1 }).report(24, 'complete', A, 8).ok(25, 14)
    },
  ],
  [
    'I18: a task was leased after its cancel had been acknowledged',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { state: 'cancelled', reason: 'cancelled' })
      worker.lease(4, 11, A, 7)
      producer.ask(6, { v: 'cancel', x: [A] }).ok(7, 12, { outcomes: ['requested'] })
      other.lease(20, 13, A, 8, { losses: 1 })
    },
  ],
  [
    'I3: a token was good that nobody was given',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8 })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 8).ok(9, 12)
    },
  ],
  [
    'I3: two ends were taken under one token',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker.lease(4, 11, A, 7).report(6, 'release', A, 7).ok(7, 12)
      worker.report(8, 'complete', A, 7).ok(9, 12)
    },
  ],
  [
    'I3: a result was "already" there that nobody had sent',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker
        .lease(4, 11, A, 7)
        .report(8, 'complete', A, 7)
        .ok(9, 12, { already: [0] })
    },
  ],
  [
    'I3: a report was taken after the task had been completed',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8, losses: 1 })
      worker.lease(4, 11, A, 7)
      other.lease(20, 12, A, 8, { losses: 1 }).report(22, 'complete', A, 8).ok(23, 13)
      worker.report(30, 'release', A, 7).ok(31, 14)
    },
  ],
  [
    'I3: the stored result is of a token whose result was not taken',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7)
      worker.ok(9, 12, { refused: [[0, 'STALE_LEASE']] })
    },
  ],
  [
    'I3: the stored result is not the one that was acknowledged',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 6 })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
    },
  ],
  [
    'I4: one token was granted to two claims',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
      other.lease(5, 11, A, 7)
    },
  ],
  [
    // A restart that forgot its epoch: the later lease has the smaller token.
    'I2: leases overlap in the order of commits',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 5, losses: 1 })
      worker.lease(4, 11, A, 7)
      other.lease(20, 14, A, 5, { losses: 1 }).report(30, 'complete', A, 5).ok(31, 15)
    },
  ],
  [
    'I5: a task was completed twice',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8, losses: 1 })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
      other.lease(20, 12, A, 8, { losses: 1 }).report(22, 'complete', A, 8).ok(23, 13)
    },
  ],
  [
    'I5: a completed task was leased again',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
      other.lease(20, 13, A, 8)
    },
  ],
  [
    'I5: an ended task lives again, though nobody redrove it',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7, generation: 1 })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 12)
    },
  ],
  [
    'I5: a task was told to be dead, and ended otherwise',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { state: 'cancelled', reason: 'cancelled' })
      producer.ask(30, { v: 'cancel', x: [A] })
      worker
        .lease(4, 11, A, 7, { failures: 1 })
        .fail(8, A, 7)
        .ok(9, 12, { outcomes: ['dead'] })
    },
  ],
  [
    'I5: a task was cancelled by nobody',
    (producer) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { state: 'cancelled', reason: 'cancelled' })
    },
  ],
  [
    'I5: a task has expired that had all the time',
    (producer) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { state: 'expired', reason: 'expired' })
    },
  ],
  [
    'I6: one idempotency key was answered with two tasks',
    (producer, worker) => {
      producer.enqueue(1, [A], { key: 'k' }).ok(2, 10).enqueue(3, [B], { key: 'k' }).ok(4, 11)
      producer.end(A, { by: 7 }).end(B, { by: 8 })
      worker.lease(5, 12, A, 7).report(7, 'complete', A, 7).ok(8, 13)
      worker.lease(9, 14, B, 8).report(11, 'complete', B, 8).ok(12, 15)
    },
  ],
  [
    'I6: one idempotency key was taken for two different tasks',
    (producer, worker) => {
      producer.enqueue(1, [A], { key: 'k' }).ok(2, 10).enqueue(3, [B], { key: 'k', h: 'other' })
      producer.ok(4, 11, { ids: [A] }).end(A, { by: 7 })
      worker.lease(5, 12, A, 7).report(7, 'complete', A, 7).ok(8, 13)
    },
  ],
  [
    'I6: a conflict with nothing that was ever asked',
    (producer) => void producer.enqueue(1, [A], { key: 'k' }).no(2, 'CONFLICT'),
  ],
  [
    // The key named another task, and yet there is one under the new id.
    'I1: a task is there whose enqueue was refused',
    (producer, worker) => {
      producer.enqueue(1, [A], { key: 'k' }).ok(2, 10).enqueue(3, [B], { key: 'k' })
      producer
        .ok(4, 11, { ids: [A] })
        .end(A, { by: 7 })
        .end(B, { by: 7 })
      worker.lease(5, 12, A, 7).report(7, 'complete', A, 7).ok(8, 13)
    },
  ],
  [
    'I7: of one enqueue some tasks are there and some are not',
    (producer, worker) => {
      producer.enqueue(1, [A, B]).end(A, { by: 7 })
      worker.lease(5, 12, A, 7).report(7, 'complete', A, 7).ok(8, 13)
    },
  ],
  [
    'I13: the attempt is not 1 + failures + losses',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      const lease = { id: A, token: 7, attempt: 3, failures: 0, losses: 1, h: 'payload' }
      worker.ask(3, { v: 'claim', n: 1 }).ok(4, 11, { leased: [lease] })
      worker.report(7, 'complete', A, 7).ok(8, 13)
    },
  ],
  [
    'I13: leased after its last attempt had failed',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7, failures: 2 })
      worker.lease(5, 12, A, 7, { failures: 2 }).report(7, 'complete', A, 7).ok(8, 13)
    },
  ],
  [
    'I13: leased after its last loss',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7, losses: 2 })
      worker.lease(5, 12, A, 7, { losses: 2 }).report(7, 'complete', A, 7).ok(8, 13)
    },
  ],
  [
    'I13: losses were forgotten',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8 })
      worker.lease(5, 12, A, 7, { losses: 1 })
      worker.lease(9, 13, A, 8).report(11, 'complete', A, 8).ok(12, 14)
    },
  ],
  [
    'I13: failures were forgotten',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8 })
      worker
        .lease(5, 12, A, 7)
        .fail(7, A, 7)
        .ok(8, 13, { outcomes: ['retrying'] })
      worker.lease(9, 14, A, 8).report(11, 'complete', A, 8).ok(12, 15)
    },
  ],
  [
    'I13: failures were made up',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8, failures: 1 })
      worker.lease(5, 12, A, 7)
      worker.lease(9, 14, A, 8, { failures: 1 }).report(11, 'complete', A, 8).ok(12, 15)
    },
  ],
  [
    'I13: a failed task became what its attempts do not allow',
    (producer, worker) => {
      producer
        .enqueue(1, [A])
        .ok(2, 10)
        .end(A, { state: 'dead', reason: 'attempts_exhausted', failures: 2 })
      worker
        .lease(5, 12, A, 7)
        .fail(7, A, 7)
        .ok(8, 13, { outcomes: ['dead'] })
    },
  ],
  [
    'I13: more failures or losses than allowed',
    (producer) => {
      producer.enqueue(1, [A]).ok(2, 10)
      producer.end(A, { state: 'dead', reason: 'losses_exhausted', losses: 3 })
    },
  ],
  [
    'I13: dead for the wrong reason, losses_exhausted',
    (producer) => {
      producer.enqueue(1, [A]).ok(2, 10)
      producer.end(A, { state: 'dead', reason: 'losses_exhausted', losses: 1 })
    },
  ],
  [
    'I13: dead for the wrong reason, not_retryable',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { state: 'dead', reason: 'not_retryable' })
      worker.lease(5, 12, A, 7).fail(7, A, 7)
    },
  ],
  [
    'I18: both a cancel and a result were acknowledged',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      producer.ask(6, { v: 'cancel', x: [A] }).ok(7, 12, { outcomes: ['requested'] })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7).ok(9, 13)
    },
  ],
  [
    'I18: a cancel was acknowledged, and the task ended otherwise',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      producer.ask(6, { v: 'cancel', x: [A] }).ok(7, 12, { outcomes: ['cancelled'] })
      worker.lease(4, 11, A, 7).report(8, 'complete', A, 7)
    },
  ],
  [
    'I24: a claim that was sent again was given other leases beside its own',
    (producer, worker) => {
      producer.enqueue(1, [A, B]).ok(2, 10).end(A, { by: 7 }).end(B, { by: 8 })
      const lease = { id: A, token: 7, attempt: 1, failures: 0, losses: 0, h: 'payload' }
      worker.ask(3, { v: 'claim', n: 1 }).ok(4, 11, { leased: [lease] })
      worker.ask(5, { v: 'claim', n: 1 }).ok(6, 12, { leased: [{ ...lease, id: B, token: 8 }] })
      worker.report(7, 'complete', A, 7).ok(8, 13).report(9, 'complete', B, 8).ok(10, 14)
    },
  ],
  [
    'T8: a task ran twice under one token',
    (producer, worker) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 7 })
      worker.lease(4, 11, A, 7).run(6, A, 7).run(7, A, 7).report(8, 'complete', A, 7).ok(9, 13)
    },
  ],
  [
    'T8: a task ran again for no reason',
    (producer, worker, other) => {
      producer.enqueue(1, [A]).ok(2, 10).end(A, { by: 8 })
      worker
        .lease(4, 11, A, 7)
        .run(6, A, 7)
        .ask(10, { v: 'heartbeat', n: 1, x: [[A, 7]] })
      other.lease(20, 12, A, 8).run(22, A, 8).report(23, 'complete', A, 8).ok(24, 13)
    },
  ],
  [
    'enqueue was refused with INTERNAL',
    (producer) => void producer.enqueue(1, [A]).no(2, 'INTERNAL'),
  ],
]
