// What the system asks of the process: the first SIGTERM or SIGINT drains, a second one ends it.

import type { Logger } from './observe/log.ts'

export interface StopSignals {
  /** Resolves with the first signal that asks to stop. */
  readonly first: Promise<NodeJS.Signals>
  /** Resolves with the second: nobody wants to wait any more. */
  readonly second: Promise<NodeJS.Signals>
}

/** What tells of signals: the process, or something else in a test. */
export interface SignalSource {
  readonly on: (signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void) => unknown
}

export function watchSignals(log: Logger, source: SignalSource = process): StopSignals {
  const signals: NodeJS.Signals[] = []
  const resolvers: ((signal: NodeJS.Signals) => void)[] = []
  const first = new Promise<NodeJS.Signals>((resolve) => resolvers.push(resolve))
  const second = new Promise<NodeJS.Signals>((resolve) => resolvers.push(resolve))
  const onSignal = (signal: NodeJS.Signals): void => {
    resolvers[signals.length]?.(signal)
    signals.push(signal)
  }
  source.on('SIGTERM', onSignal)
  source.on('SIGINT', onSignal)
  // A terminal that closes, or an old script that means "read your configuration again".
  source.on('SIGHUP', () => {
    log.info({ event: 'signal-ignored', signal: 'SIGHUP', advice: 'restart to reconfigure' })
  })
  return { first, second }
}
