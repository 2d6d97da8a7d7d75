// What the system asks of the process: the first SIGTERM or SIGINT drains, a second one ends it.

import type { Logger } from './observe/log.ts'

export interface StopSignals {
  /** Resolves with the first signal that asks to stop. */
  readonly first: Promise<NodeJS.Signals>
  /** Resolves with the second: nobody wants to wait any more. */
  readonly second: Promise<NodeJS.Signals>
}

export function watchSignals(log: Logger): StopSignals {
  const signals: NodeJS.Signals[] = []
  const resolvers: ((signal: NodeJS.Signals) => void)[] = []
  const first = new Promise<NodeJS.Signals>((resolve) => resolvers.push(resolve))
  const second = new Promise<NodeJS.Signals>((resolve) => resolvers.push(resolve))
  const onSignal = (signal: NodeJS.Signals): void => {
    resolvers[signals.length]?.(signal)
    signals.push(signal)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // A terminal that closes, or an old script that means "read your configuration again".
  process.on('SIGHUP', () => {
    log.info({ event: 'signal-ignored', signal: 'SIGHUP', advice: 'restart to reconfigure' })
  })
  return { first, second }
}
