// The face of @tq/core: words shared by every tq process.

export { type Clock, type Random, type Scheduler, type Timer } from './clock.ts'
export { systemClock, systemRandom, systemScheduler } from './clock.ts'
export {
  ERROR_CODES,
  isErrorCode,
  TqError,
  type ErrorCode,
  type ErrorCodeEntry,
  type ErrorDetails,
} from './error.ts'
export { invariant, InvariantError, unreachable } from './invariant.ts'
export * as limits from './limits.ts'
export { compareHeads, rankMs, type LaneHead, type QueueOrder } from './rank.ts'
export {
  DEFAULT_RETRY,
  isRetryable,
  retryDelayMs,
  type RetryKind,
  type RetryPolicy,
} from './retry.ts'
export { SLOT_COUNT, slotOfQueue } from './slot.ts'
export {
  isTaskState,
  isTerminal,
  isTransition,
  LIVE_STATES,
  reasonOfCode,
  REASONS,
  stateOfCode,
  TASK_STATE_NAMES,
  TASK_STATES,
  TERMINAL_STATES,
  TRANSITIONS,
  type LiveState,
  type Reason,
  type TaskState,
  type TerminalState,
} from './state.ts'
export {
  formatTaskId,
  isTaskIdBytes,
  parseTaskId,
  slotOfTaskId,
  TASK_ID_BYTES,
  TaskIdMaker,
  wallMsOfTaskId,
  type TaskIdBytes,
  type TaskIdSource,
} from './task-id.ts'
export {
  DEFAULT_TIMEOUT_MS,
  executionTimeoutMs,
  type TimeoutHints,
  type TimeoutPolicy,
} from './timeout-policy.ts'
export type {
  AbortRequest,
  BackupRequest,
  CancelRequest,
  ClaimRequest,
  CompleteRequest,
  Completion,
  EnqueueRequest,
  Failure,
  FailRequest,
  GetRequest,
  HeartbeatRequest,
  HeldTask,
  HelloRequest,
  Labels,
  LeaveRequest,
  ListRequest,
  PingRequest,
  Progress,
  ProgressRequest,
  QueuePauseRequest,
  QueuePurgeRequest,
  QueueResumeRequest,
  QueueSetRequest,
  QueueSettings,
  RedriveRequest,
  RegisterRequest,
  ReleaseRequest,
  Request,
  RequestOf,
  SetPriorityRequest,
  StartRequest,
  StartupLogRequest,
  StatsRequest,
  TaskError,
  TaskOptions,
  TaskSpec,
  Verb,
  WaitRequest,
  WorkersRequest,
} from './protocol/request.ts'
export { PROTOCOL_VERSION } from './protocol/request.ts'
export {
  decodeRequest,
  decodeServerMessage,
  encodePushFrame,
  encodeRefusalFrame,
  encodeReplyFrame,
  encodeRequestFrame,
  RequestError,
  type ServerMessage,
} from './protocol/codec.ts'
export { FRAME_HEADER_BYTES, FrameDecoder } from './protocol/frame.ts'
export { isVerb, parseRequest, VERBS } from './protocol/parse-request.ts'
export { decodePayload, encodePayload } from './protocol/payload.ts'
export { isQueueName } from './protocol/task-field.ts'
export type {
  BrokerHealth,
  BrokerStats,
  ClaimedExtra,
  ClaimedTask,
  HistoryChapter,
  ItemRefusal,
  ItemsReply,
  QueueStats,
  Replies,
  ReplyOf,
  StartupReport,
  StartupStep,
  StopOrder,
  StopReason,
  TaskDescription,
  TaskRow,
  WorkerStats,
} from './protocol/reply.ts'
