// The deliberate bugs. None of them can be in a built package: they are planted in a copy of the source.

import type { PlantedBug } from './planted-bug.ts'

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'acknowledge-before-sync',
    harm: 'an acknowledged task is gone after a crash',
    breaks: 'I1',
    edits: [
      {
        file: 'pipeline/commit-loop.ts',
        find: '    this.#flying = this.#gathering\n    this.#gathering = []\n    this.#isFlying = true',
        replace:
          '    for (const waiter of this.#gathering) waiter(lsn)\n    this.#flying = []\n    this.#gathering = []\n    this.#isFlying = true',
      },
    ],
  },
  {
    name: 'commit-without-sync',
    harm: 'acknowledged tasks are gone after a power cut',
    breaks: 'I1',
    edits: [{ file: 'storage/level-store.ts', find: '{ sync: true }', replace: '{ sync: false }' }],
    rungs: ['power-cut'],
  },
  {
    name: 'failed-commit-acknowledged',
    harm: 'what the disk refused is acknowledged',
    breaks: 'I1',
    edits: [
      {
        file: 'pipeline/commit-loop.ts',
        find: "if (outcome === 'committed') this.#landed(lsn, built)",
        replace: "if (outcome !== 'fenced') this.#landed(lsn, built)",
      },
    ],
  },
  {
    name: 'sync-retried-after-failure',
    harm: "LevelDB's log is torn, and later acknowledged writes are lost",
    breaks: 'I1',
    edits: [
      {
        file: 'storage/level-store.ts',
        find: 'this.#committing = write(directory.level, batch, next)',
        replace:
          'this.#committing = write(directory.level, batch, next).catch(() => write(directory.level, batch, next))',
      },
    ],
  },
  {
    name: 'refusal-from-undurable-state',
    harm: 'an answer tells of something that a crash then undoes',
    breaks: 'I8',
    edits: [
      {
        file: 'pipeline/pipeline.ts',
        find: '    // A refusal tells of state as well: it waits like any other answer.\n',
        replace:
          '    if (decision instanceof Refusal) {\n      conversation.refuse(id, decision.code, decision.message, decision.details)\n      return\n    }\n',
      },
    ],
  },
  {
    name: 'claim-answered-before-sync',
    harm: 'a worker runs a task under a lease that a crash forgets: two valid leases',
    breaks: 'I2',
    edits: [
      {
        file: 'pipeline/claim-desk.ts',
        find: '      this.#partition.commits.whenDurable((lsn) =>\n        this.#answer({ conversation, id, lsn }, claimed, records as PayloadRecord[]),\n      )',
        replace:
          '      const lsn = this.#partition.commits.durableLsn\n      this.#answer({ conversation, id, lsn }, claimed, records as PayloadRecord[])',
      },
    ],
  },
  {
    name: 'heartbeat-ignores-token',
    harm: 'a worker that lost its lease renews the one of its successor',
    breaks: 'I3',
    edits: [
      {
        file: 'engine/decide-session.ts',
        find: "lease === NO_ROW || state.leases.token(lease) !== token) return [id, token, 'lost']",
        replace: "lease === NO_ROW) return [id, token, 'lost']",
      },
    ],
  },
  {
    name: 'stale-token-accepted',
    harm: 'a result of a lost lease overwrites the work of its successor',
    breaks: 'I3',
    edits: [
      {
        file: 'engine/held.ts',
        find: 'lease === NO_ROW || state.leases.token(lease) !== item.token) return stale(item)',
        replace: 'lease === NO_ROW) return stale(item)',
      },
    ],
  },
  {
    name: 'lease-by-wall-clock',
    harm: 'leases end early, or never, when the clock is set',
    breaks: 'I11',
    edits: [
      {
        file: 'pipeline/partition.ts',
        find: 'this.#monotonicBase = world.clock.monotonicMs()',
        replace: 'this.#monotonicBase = world.clock.wallMs()',
      },
      {
        file: 'pipeline/partition.ts',
        find: 'this.world.clock.monotonicMs() - this.#monotonicBase',
        replace: 'this.world.clock.wallMs() - this.#monotonicBase',
      },
    ],
  },
  {
    name: 'epoch-not-persisted',
    harm: 'after a restart fencing tokens are given out again',
    breaks: 'I4',
    edits: [
      {
        file: 'storage/store-verification.ts',
        find: 'epoch: found.epoch + step }',
        replace: 'epoch: Math.max(1, found.epoch) }',
      },
    ],
  },
  {
    name: 'tick-begins-anew',
    harm: 'after a restart every deadline and backoff is off by the uptime before',
    breaks: 'I11',
    edits: [
      {
        file: 'pipeline/partition.ts',
        find: 'this.#tickBase = record.tickMs',
        replace: 'this.#tickBase = 0',
      },
    ],
  },
  {
    name: 'dedupe-in-another-batch',
    harm: 'after a crash the same idempotency key makes a second task',
    breaks: 'I6',
    edits: [
      {
        file: 'storage/commit-builder.ts',
        find: '  #uncommittedBytes = 0\n\n  constructor',
        replace:
          '  #uncommittedBytes = 0\n  readonly #late: [Uint8Array, Uint8Array][] = []\n\n  constructor',
      },
      {
        file: 'storage/commit-builder.ts',
        find: 'this.put(key, encodeDedupe(key, { id, hash: requestHash }))',
        replace: 'this.#late.push([key, encodeDedupe(key, { id, hash: requestHash })])',
      },
      {
        file: 'storage/commit-builder.ts',
        find: '    this.#uncommittedBytes = 0\n  }',
        replace:
          '    this.#uncommittedBytes = 0\n    for (const [key, value] of this.#late.splice(0)) this.put(key, value)\n  }',
      },
    ],
  },
  {
    name: 'dedupe-blind-to-the-commit-in-flight',
    harm: 'two requests with one key in quick succession make two tasks',
    breaks: 'I6',
    edits: [
      {
        file: 'engine/decide-enqueue.ts',
        find: 'options.keys.get(key) ?? pending ?? command',
        replace: 'options.keys.get(key) ?? command',
      },
    ],
  },
  {
    name: 'key-of-another-request-accepted',
    harm: 'a different request under a used key is dropped and called stored',
    breaks: 'I6',
    edits: [
      {
        file: 'engine/decide-enqueue.ts',
        find: 'if (Buffer.compare(other.hash, hash) === 0) return other.id',
        replace: 'if (other.hash !== undefined) return other.id',
      },
    ],
  },
  {
    name: 'heap-index-off-by-one',
    harm: 'tasks are handed out in the wrong order',
    breaks: 'I10',
    edits: [
      {
        file: 'engine/heap.ts',
        find: '      const parent = (place - 1) >>> 1\n      if (!this.#goesBefore(row, key, parent)) break',
        replace:
          '      const parent = place >>> 1\n      if (!this.#goesBefore(row, key, parent)) break',
      },
    ],
  },
  {
    name: 'order-among-equals-lost-on-reload',
    harm: 'after a restart first come is no longer first served',
    breaks: 'I10',
    edits: [
      {
        file: 'engine/restore.ts',
        find: 'tasks.setSequence(task, restored.sequence)',
        replace: 'tasks.setSequence(task, (state.nextSequence += 1))',
      },
    ],
  },
  {
    name: 'resent-claim-grants-twice',
    harm: 'a lost reply leaks leases until they run out',
    breaks: 'I24',
    edits: [
      {
        file: 'engine/decide-claim.ts',
        find: 'if (again.length > 0) return { claimed: again }',
        replace: 'if (again.length > 1_000_000) return { claimed: again }',
      },
    ],
  },
  {
    name: 'lost-reply-keeps-its-leases',
    harm: 'tasks of a reply that was lost wait for their lease to end, and count a loss',
    breaks: 'I12',
    edits: [
      {
        file: 'engine/decide-session.ts',
        find: 'if (leases.claim(lease) <= beat.request.received) lost.push(leases.task(lease))',
        replace: 'if (leases.claim(lease) < 0) lost.push(leases.task(lease))',
      },
    ],
  },
  {
    name: 'unread-claim-given-back',
    harm: 'a heartbeat that crosses the reply of a claim takes the leases away',
    breaks: 'I2',
    edits: [
      {
        file: 'engine/decide-session.ts',
        find: 'if (leases.claim(lease) <= beat.request.received) lost.push(leases.task(lease))',
        replace: 'if (leases.claim(lease) >= 0) lost.push(leases.task(lease))',
      },
    ],
  },
  {
    name: 'cancel-forgotten-on-expiry',
    harm: 'a cancelled task runs again after its worker was lost',
    breaks: 'I18',
    edits: [
      {
        file: 'engine/end-attempt.ts',
        find: "  if (endIfCancelled(turn, task, 'loss')) return 'cancelled'\n",
        replace: '',
      },
    ],
  },
  {
    name: 'cancelled-task-completes',
    harm: 'success is recorded after a cancel was acknowledged',
    breaks: 'I18',
    edits: [
      {
        file: 'engine/decide-attempt.ts',
        find: '    if (turn.state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)) return cancelWasRequested()\n',
        replace: '',
      },
    ],
  },
  {
    name: 'one-failure-too-many',
    harm: 'a task is tried once more than it may',
    breaks: 'I13',
    edits: [
      {
        file: 'engine/end-attempt.ts',
        find: 'failures >= profile.maxAttempts',
        replace: 'failures > profile.maxAttempts',
      },
    ],
  },
  {
    name: 'release-costs-a-loss',
    harm: 'tasks are dead after a few deployments of their workers',
    breaks: 'I13',
    edits: [
      {
        file: 'engine/end-attempt.ts',
        find: 'release(turn, task, { reason, lost: false })',
        replace: 'release(turn, task, { reason, lost: true })',
      },
    ],
  },
  {
    name: 'lease-not-renewed-at-restart',
    harm: 'every running task is lost when the broker restarts',
    breaks: 'I11',
    edits: [
      {
        file: 'engine/restore.ts',
        find: 'endTickMs: state.tickMs + lease.leaseMs',
        replace: 'endTickMs: state.tickMs',
      },
    ],
  },
  {
    name: 'stall-ends-leases',
    harm: 'a broker that stood still takes all leases away at once',
    breaks: 'I11',
    edits: [
      {
        file: 'pipeline/ticker.ts',
        find: '      pipeline.extendLeases(lateMs)\n',
        replace: '',
      },
    ],
  },
  {
    name: 'high-water-mark-ignored',
    harm: 'a store that lost its newest commits is served as if it were whole',
    breaks: 'I8',
    edits: [
      {
        file: 'storage/store-verification.ts',
        find: "    if (identity.state === 'ready') refuseGap(path, found, mark)\n",
        replace: '',
      },
    ],
  },
  {
    name: 'hole-in-the-journal-accepted',
    harm: 'a store that lost commits in the middle is served as if it were whole',
    breaks: 'I8',
    edits: [
      {
        file: 'storage/recovery.ts',
        find: 'if (lsn !== expected) throw gap(expected, lsn)',
        replace: 'expected = lsn',
      },
    ],
  },
  {
    name: 'checksum-not-checked',
    harm: 'a flipped bit on the disk becomes a wrong payload',
    breaks: 'I8',
    edits: [
      {
        file: 'storage/sealed.ts',
        find: '  if (!isSealed(key, value)) throw new CorruptRecordError(`checksum of key ${name} does not fit`)\n',
        replace: '',
      },
    ],
  },
  {
    name: 'empty-store-put-in-place',
    harm: 'a broker whose disk is not mounted begins with nothing and says so to nobody',
    breaks: 'I1',
    edits: [
      {
        file: 'storage/store-opening.ts',
        find: "createIfMissing: identity.state === 'creating'",
        replace: 'createIfMissing: true',
      },
      {
        file: 'storage/store-opening.ts',
        find: "  if (identity.state === 'creating') return\n  const store",
        replace: "  if (identity.state !== 'failed') return\n  const store",
      },
    ],
  },
  {
    name: 'redriven-task-stays-ended',
    harm: 'a task is live and ended at the same time',
    breaks: 'I1',
    edits: [
      {
        file: 'storage/commit-builder.ts',
        find: "    this.delete(taskKey('done', id))\n    this.delete(\n",
        replace: '    this.delete(\n',
      },
    ],
  },
  {
    name: 'parked-claims-sleep-on',
    harm: 'a worker that waits hears of new work only when its wait is over',
    breaks: 'I12',
    edits: [
      {
        file: 'pipeline/pipeline.ts',
        find: '      conversation.refuse(id, error.code, error.message, error.details)\n    }\n    this.#claims.serveWoken()',
        replace: '      conversation.refuse(id, error.code, error.message, error.details)\n    }',
      },
    ],
  },
]
