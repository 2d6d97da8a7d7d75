// The one schema of broker options: type, default, unit, range and help of each.

import { limits } from '@tq/core'
import { z } from 'zod'
import { choice, flag, group, strictMap, structure, text, wholeNumber } from './option.ts'
import { queues } from './queues.ts'
import { PAYLOAD_CACHE_BYTES_MIN } from '../pipeline/partition.ts'

const MIB = 2 ** 20
const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const PORT = { min: 0, max: 65_535, unit: 'count' } as const
/** Time that a person or a script waits for at most. */
const PATIENCE = { min: 100, max: 10 * MINUTE_MS, unit: 'ms' } as const
const CONNECTIONS = { min: 1, max: 100_000, unit: 'count' } as const
const TOKENS_MAX = 1_000

/** Names that the broker uses for itself in histories and logs. */
const RESERVED_NAMES: readonly string[] = ['anonymous', 'broker', 'recovery']

/** An accepted token: only its hash is kept, so that the file alone opens nothing. */
const tokenEntry = strictMap({
  /** The principal it stands for; two tokens may share one while they are exchanged. */
  name: z
    .string('must be a text')
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,127}$/, {
      error: 'must be 1 to 128 letters, digits and _ . @ -, beginning with a letter or digit',
    })
    .refine((name) => !RESERVED_NAMES.includes(name), {
      error: `must be another name: ${RESERVED_NAMES.join(', ')} are the broker's own`,
    }),
  sha256: z.string('must be a text').regex(/^[0-9a-f]{64}$/, {
    error:
      'must be the SHA-256 of a token in 64 hexadecimal digits, as tq-broker --hash-token prints it',
  }),
})

const http = group(
  'Metrics and health over HTTP. The endpoints only read; health asks for no token.',
  {
    enabled: flag({ initial: true, help: 'Whether the broker serves HTTP at all.' }),
    host: text({
      initial: '127.0.0.1',
      charactersMax: 253,
      help: 'Address to listen on; the rules for host hold here as well.',
    }),
    port: wholeNumber({ ...PORT, initial: 7_462, help: 'TCP port; 0 picks a free one.' }),
    allowAnonymous: flag({
      initial: false,
      help:
        'Serve /metrics and /startup-log without a token even if auth.tokens are set. They tell ' +
        'names of queues and workers and how many tasks there are, never payloads.',
    }),
  },
)

const log = group('The log: one JSON object a line on standard output.', {
  level: choice({
    initial: 'info',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'silent'],
    help: 'Least severe lines that are written; debug has one for each transition of a task.',
  }),
})

const auth = group('Who may speak to the broker.', {
  tokens: structure(z.array(tokenEntry).max(TOKENS_MAX), {
    initial: [],
    isSecret: true,
    expected: `a list of at most ${TOKENS_MAX} maps with name and sha256`,
    help:
      'Accepted tokens, such as [{ name: web, sha256: … }]; tq-broker --new-token makes one. With ' +
      'tokens every client needs one; without, clients on this machine are let in anonymously.',
  }),
})

const brokerLimits = group(
  'What the broker takes upon itself; beyond, requests are refused with RESOURCE_EXHAUSTED.',
  {
    tasksMax: wholeNumber({
      min: 1,
      max: limits.TASKS_PER_QUEUE_MAX,
      unit: 'count',
      initial: 20_000_000,
      help: 'Most live tasks of all queues together. A waiting task takes about 200 bytes of memory.',
    }),
    connectionsMax: wholeNumber({ ...CONNECTIONS, initial: 10_000, help: 'Most connections.' }),
    connectionsPerAddressMax: wholeNumber({
      ...CONNECTIONS,
      initial: 256,
      help: 'Most connections of one address; not on loopback.',
    }),
    unauthenticatedPerAddressMax: wholeNumber({
      ...CONNECTIONS,
      initial: 64,
      help: 'Most connections of one address that have not said hello; not on loopback.',
    }),
    connectRatePerAddress: wholeNumber({
      min: 1,
      max: 100_000,
      unit: 'a second',
      initial: 20,
      help: 'Most new connections of one address in a second; not on loopback.',
    }),
    sessionsMax: wholeNumber({
      min: 1,
      max: 1_000_000,
      unit: 'count',
      initial: 100_000,
      help:
        'Most sessions: workers, and clients that have claimed. Those of clients that hold nothing ' +
        'are forgotten first.',
    }),
    inFlightMax: wholeNumber({
      // Claims that wait take places as well: with fewer, nothing else would come through.
      min: 16,
      max: 4_096,
      unit: 'count',
      initial: 256,
      help: 'Most requests of one connection that have not been answered; claims that wait are among them.',
    }),
    inputBytesMax: wholeNumber({
      min: 16 * MIB,
      max: 64 * 1024 * MIB,
      unit: 'bytes',
      initial: 256 * MIB,
      help:
        'Requests of all clients that have come and have not been answered: at this nothing more is ' +
        'read. Large ones on their way take half of it at most.',
    }),
    outputBytesMax: wholeNumber({
      min: limits.CLAIM_REPLY_BYTES_MAX,
      max: 1024 * MIB,
      unit: 'bytes',
      initial: 8 * MIB,
      help: 'Answers waiting for one connection: at this it is not read, at twice this it is closed.',
    }),
    commitMsMax: wholeNumber({
      ...PATIENCE,
      initial: 5_000,
      help: 'A commit that takes longer means that the disk cannot keep up: enqueue is refused.',
    }),
    freeBytesMin: wholeNumber({
      min: 0,
      max: 1024 * 1024 * MIB,
      unit: 'bytes',
      initial: 256 * MIB,
      help:
        'Below this much free disk space enqueue is refused with NO_SPACE. Leave at least a dozen ' +
        'times storage.writeBufferBytes and 10 MiB: compactions need that room.',
    }),
    frameBytesMax: wholeNumber({
      min: 64 * 1024,
      max: limits.FRAME_BYTES_MAX,
      unit: 'bytes',
      initial: limits.FRAME_BYTES_MAX,
      help: 'Largest request. A task with a payload of 1 MiB needs a little more than that.',
    }),
  },
)

const timeouts = group('How long the broker waits for others.', {
  helloMs: wholeNumber({
    ...PATIENCE,
    initial: 5_000,
    help: 'From connecting to hello; then the connection is closed.',
  }),
  frameMs: wholeNumber({
    ...PATIENCE,
    initial: 10_000,
    help: 'From the first byte of a request to its last.',
  }),
  idleMs: wholeNumber({
    min: SECOND_MS,
    max: DAY_MS,
    unit: 'ms',
    initial: MINUTE_MS,
    help: 'A connection without a byte and without a request under way is closed after this.',
  }),
  writeStallMs: wholeNumber({
    ...PATIENCE,
    initial: 30_000,
    help: 'A client that does not read its answers for this long is disconnected.',
  }),
  drainMs: wholeNumber({
    min: 0,
    max: HOUR_MS,
    unit: 'ms',
    initial: 10_000,
    help: 'From SIGTERM to the end: answers under way are finished within it.',
  }),
})

const workers = group('How workers show that they live.', {
  heartbeatMs: wholeNumber({
    min: 100,
    max: 10 * MINUTE_MS,
    unit: 'ms',
    initial: 5_000,
    help: 'How often a worker is told to send a heartbeat.',
  }),
  deadMs: wholeNumber({
    min: SECOND_MS,
    max: HOUR_MS,
    unit: 'ms',
    initial: 15_000,
    help: 'A worker that is silent for this long is lost, and its tasks are offered again.',
  }),
  sessionIdleMs: wholeNumber({
    min: MINUTE_MS,
    max: 30 * DAY_MS,
    unit: 'ms',
    initial: 10 * MINUTE_MS,
    help: 'A session without leases that is silent for this long is forgotten.',
  }),
})

const retention = group('What is kept of all queues together.', {
  keptMax: wholeNumber({
    min: 0,
    max: limits.RETENTION_COUNT_MAX,
    unit: 'count',
    initial: 1_000_000,
    help: 'Most ended tasks; the oldest of the queue that keeps most go first.',
  }),
  dedupeMs: wholeNumber({
    min: DAY_MS,
    max: limits.RETENTION_MS_MAX,
    unit: 'ms',
    initial: DAY_MS,
    help: 'How long an idempotency key is remembered, whatever becomes of its task.',
  }),
})

const journal = group('The record of what happened, commit by commit; re-sent requests need it.', {
  ageMs: wholeNumber({
    min: HOUR_MS,
    max: limits.RETENTION_MS_MAX,
    unit: 'ms',
    initial: DAY_MS,
    help: 'Oldest record that is kept.',
  }),
  bytesMax: wholeNumber({
    min: 16 * MIB,
    max: 1024 * 1024 * MIB,
    unit: 'bytes',
    initial: 256 * MIB,
    help: 'Most bytes that are kept; the oldest go first.',
  }),
})

const storage = group('LevelDB and the memory it gets.', {
  cacheBytes: wholeNumber({
    min: MIB,
    max: 64 * 1024 * MIB,
    unit: 'bytes',
    initial: 16 * MIB,
    help: 'Cache of blocks as they are read from disk.',
  }),
  writeBufferBytes: wholeNumber({
    min: MIB,
    // The start looks for holes in all that LevelDB's log may hold: two of these, in 96 MiB.
    max: 32 * MIB,
    unit: 'bytes',
    initial: 16 * MIB,
    help: 'Written data that is gathered before it is sorted to disk; twice this is held in memory.',
  }),
  payloadCacheBytes: wholeNumber({
    min: PAYLOAD_CACHE_BYTES_MIN,
    max: 64 * 1024 * MIB,
    unit: 'bytes',
    initial: 64 * MIB,
    help: 'Recent payloads in memory, so that a task claimed soon after its enqueue costs no read.',
  }),
  compression: flag({
    initial: true,
    help: 'Compress blocks with Snappy: the bytes saved cost less than rewriting them.',
  }),
})

export const brokerConfig = group('', {
  dataDir: text({
    initial: './.tq/data',
    charactersMax: 4_096,
    help: 'Directory of everything that is durable, on a local disk; made if it does not exist.',
  }),
  host: text({
    initial: '127.0.0.1',
    charactersMax: 253,
    help:
      'Address to listen on. Another than loopback needs auth.tokens and allowPlaintext: this ' +
      'version speaks no TLS of its own.',
  }),
  port: wholeNumber({ ...PORT, initial: 7_461, help: 'TCP port; 0 picks a free one.' }),
  allowPlaintext: flag({
    initial: false,
    help: 'Listen beyond loopback without TLS: for a private network, or behind a TLS tunnel.',
  }),
  allowAnyFilesystem: flag({
    initial: false,
    help:
      'Open a data directory on a network file system as well. Its syncs and locks must hold what ' +
      'they promise, or acknowledged tasks are lost.',
  }),
  http,
  log,
  auth,
  queues,
  limits: brokerLimits,
  timeouts,
  workers,
  retention,
  journal,
  storage,
})

export type BrokerConfig = DeepReadonly<z.output<typeof brokerConfig>>

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T
