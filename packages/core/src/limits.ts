// Every maximum of tq, with its unit and its reason. Going over one is a typed refusal.

/** Largest frame body, in bytes. A bigger header is hostile: the socket is closed. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024
/** Largest frame body before `hello` has been accepted, in bytes. */
export const FRAME_BYTES_MAX_BEFORE_HELLO = 4 * 1024
/** Largest payload of a task, in bytes. Bigger data belongs in a store of its own. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024
/** Largest result of a task, in bytes. */
export const RESULT_BYTES_MAX = 1024 * 1024
/** Most payload bytes in one claim reply; a claim then gets fewer tasks than it asked for. */
export const CLAIM_REPLY_BYTES_MAX = 2 * 1024 * 1024
/** Most items in one request that names several tasks: one request is one atomic group. */
export const ITEMS_PER_REQUEST_MAX = 1_000
/** Most leases one heartbeat may name; bounded by the length of a MessagePack array. */
export const HEARTBEAT_LEASES_MAX = 10_000
/** Most MessagePack nodes in a frame: decoding time stays bounded whatever the bytes say. */
export const MSGPACK_NODES_MAX = 64_000
/** Deepest nesting in a frame. */
export const MSGPACK_DEPTH_MAX = 16
/** Longest array in a frame. */
export const MSGPACK_ARRAY_MAX = 10_000
/** Most keys of a map in a frame. */
export const MSGPACK_MAP_MAX = 256
/** Longest string in a frame, in bytes. */
export const MSGPACK_STRING_BYTES_MAX = 64 * 1024
/** Longest map key in a frame, in bytes: the name of a queue or of a task type may be a key. */
export const MSGPACK_KEY_BYTES_MAX = 128

export const QUEUE_NAME_BYTES_MAX = 128
export const TASK_TYPE_BYTES_MAX = 128
export const IDEMPOTENCY_KEY_BYTES_MAX = 256
/** Parts of a W3C trace context; the standard's own are 55 and 512 bytes. */
export const TRACEPARENT_BYTES_MAX = 128
export const TRACESTATE_BYTES_MAX = 512
/** Headers of a task: how many, and their bytes in all (keys and values). */
export const HEADERS_MAX = 64
export const HEADER_BYTES_MAX = 8 * 1024
/** Labels of a worker, and requirements of a task. */
export const LABELS_MAX = 32
export const LABEL_BYTES_MAX = 128
/** Different sets of requirements in one queue: a claim looks at the head of each. */
export const REQUIREMENT_SETS_PER_QUEUE_MAX = 1_000
/** Names and versions of clients and workers. */
export const NAME_BYTES_MAX = 128
/** An access token; it must fit into a frame before `hello`. */
export const ACCESS_TOKEN_BYTES_MAX = 1024
/** Tasks a worker may run at once: one heartbeat names them all. */
export const SLOTS_MAX = HEARTBEAT_LEASES_MAX
/** Cursors are opaque to clients; this only bounds them. */
export const CURSOR_BYTES_MAX = 1024
/** Share of a queue among those that a claim names. */
export const WEIGHT_MAX = 100
/** Queues one claim may name. */
export const QUEUES_PER_CLAIM_MAX = 100
/** Queues a broker keeps. */
export const QUEUES_MAX = 10_000
/** Types with a timeout policy of their own in one queue. */
export const TIMEOUT_POLICIES_PER_QUEUE_MAX = 100
/** Error types that a retry policy may name as not worth retrying. */
export const NOT_RETRYABLE_TYPES_MAX = 32
/** Bytes of an error's message, type and stack that are kept. */
export const ERROR_MESSAGE_BYTES_MAX = 4 * 1024
export const ERROR_TYPE_BYTES_MAX = 128
export const ERROR_STACK_BYTES_MAX = 16 * 1024
/** Bytes of a reason that a person gives with cancel, pause or purge. */
export const REASON_BYTES_MAX = 512
/** Bytes of a note that comes with progress. */
export const PROGRESS_NOTE_BYTES_MAX = 256
/** Rows one list reply may hold. */
export const LIST_ROWS_MAX = 1_000
/** Longest time a claim or wait may be parked, in ms. */
export const WAIT_MS_MAX = 30_000
/** Longest delay and time to live of a task: a year, in ms. */
export const DELAY_MS_MAX = 366 * 24 * 3_600_000
/** Lease length asked by a worker, in ms. */
export const LEASE_MS_MIN = 1_000
export const LEASE_MS_MAX = 12 * 3_600_000
/** Execution timeout, in ms. */
export const TIMEOUT_MS_MIN = 1
export const TIMEOUT_MS_MAX = 30 * 24 * 3_600_000
/** Factor on a hinted duration. */
export const TIMEOUT_FACTOR_MAX = 1_000
/** Size hint in bytes: the largest integer that every language holds as a double. */
export const SIZE_HINT_BYTES_MAX = 2 ** 53 - 1
/** Latest moment that may be named, in ms since the Unix epoch: the end of the year 9999. */
export const INSTANT_MS_MAX = 253_402_300_799_999
/** Longest retention of terminal tasks, in ms: ten years; and how many. */
export const RETENTION_MS_MAX = 10 * DELAY_MS_MAX
export const RETENTION_COUNT_MAX = 10_000_000
/** Live tasks that a queue may be allowed. */
export const TASKS_PER_QUEUE_MAX = 100_000_000
/** Ids of requests fit 32 bits. */
export const REQUEST_ID_MAX = 2 ** 32 - 1
export const ATTEMPTS_MAX = 100
export const PRIORITY_MAX = 255
/** Items one turn of expiry, promotion, purge or retention may touch: none may stall claims. */
export const STEP_ITEMS_MAX = 1_000
/** Chapters of a task's history that are kept beside the first one. */
export const HISTORY_CHAPTERS_MAX = 31
/** Fencing tokens stay below this, so that every language can hold them as a double. */
export const TOKEN_MAX = 2 ** 53
/** Tokens of one epoch: token = epoch * 2^32 + counter. */
export const TOKENS_PER_EPOCH = 2 ** 32
