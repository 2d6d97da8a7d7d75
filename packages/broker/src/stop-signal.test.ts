// Signals: the first drains, the second ends, a hang-up does neither.

import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createLogger } from './observe/log.ts'
import { watchSignals, type StopSignals } from './stop-signal.ts'

interface Rig {
  readonly signals: StopSignals
  readonly send: (signal: NodeJS.Signals) => void
  readonly lines: string[]
}

function aProcess(): Rig {
  const source = new EventEmitter()
  const lines: string[] = []
  const destination = { write: (line: string): void => void lines.push(line) }
  const signals = watchSignals(createLogger({ level: 'info', destination }), source)
  return { signals, send: (signal) => source.emit(signal, signal), lines }
}

describe('a signal', () => {
  it('asks to stop the first time, and to end at once the second time', async () => {
    const { signals, send } = aProcess()
    let isOver = false
    void signals.second.then(() => (isOver = true))
    send('SIGTERM')
    await expect(signals.first).resolves.toBe('SIGTERM')
    expect(isOver).toBe(false)

    send('SIGINT')
    await expect(signals.second).resolves.toBe('SIGINT')
    send('SIGINT')
  })

  it('to read the configuration again is ignored with a line', () => {
    const { signals, send, lines } = aProcess()
    let isAsked = false
    void signals.first.then(() => (isAsked = true))
    send('SIGHUP')

    expect(lines.join()).toContain('"event":"signal-ignored"')
    expect(isAsked).toBe(false)
  })
})
