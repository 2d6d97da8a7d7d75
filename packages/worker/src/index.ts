// The face of @tq/worker: what tq-worker is made of, for programs that start workers themselves.

export { loadHandlers, UsageError } from './handler-module.ts'
export { readWorkerFlags, type WorkerFlags } from './worker-flags.ts'
