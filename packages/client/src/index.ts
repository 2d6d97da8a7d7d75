// The face of @tq/client: producers, workers, and the errors they meet.

export { DEFAULT_PORT } from './address.ts'
export type { Backoff } from './backoff.ts'
export {
  TqClient,
  type ClaimOptions,
  type HeldRef,
  type ListFilter,
  type StopRef,
} from './client.ts'
export { ClaimedTask } from './claimed-task.ts'
export type { ClientEvent } from './client-event.ts'
export type { ClientOptions } from './client-options.ts'
export { CLIENT_VERSION } from './client-version.ts'
export type { EnqueueOptions } from './enqueue-spec.ts'
export { HandlerError, type HandlerErrorOptions } from './worker/handler-error.ts'
export type { Handler, TaskContext } from './worker/handler.ts'
export { throwIfRefused, type ItemsAnswer } from './items-answer.ts'
export { OpaqueBytes } from './opaque-bytes.ts'
export type { CallOptions } from './session.ts'
export { TaskFailedError } from './task-failed-error.ts'
export { TaskHandle } from './task-handle.ts'
export type { TaskInfo, TaskListRow, WorkerInfo } from './task-info.ts'
export { TaskStoppedError, type StopCause } from './worker/task-stopped-error.ts'
export type { Dial, Wire, WireEvents } from './wire.ts'
export { TqWorker, type WorkerHealth, type WorkerState } from './worker/worker.ts'
export type { FailOutcome, WorkerEvent } from './worker/worker-event.ts'
export type { WorkerOptions } from './worker/worker-options.ts'
export {
  decodePayload,
  encodePayload,
  ERROR_CODES,
  TqError,
  type ErrorCode,
  type TaskOptions,
} from '@tq/core'
