// Runs inside the broker's process: forces a collection and tells what memory is left when asked.

import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How often the event loop is looked at, in ms; the histogram counts it as part of the delay. */
const RESOLUTION_MS = 10
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delays.enable()

process.on('message', (question) => {
  process.send(question === 'loop' ? loopDelays() : collectedMemory())
})
// Without the soak nobody needs this broker.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The channel alone must not keep the broker alive.
process.channel.unref()

function loopDelays() {
  return { p999Ms: delayMs(delays.percentile(99.9)), maxMs: delayMs(delays.max) }
}

/** The pause that this makes is the probe's own doing, not the broker's, and is not counted. */
function collectedMemory() {
  collect()
  setImmediate(() => delays.reset())
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
  return { heapUsed, heapTotal, external, arrayBuffers }
}

/** Twice: what a first collection finalizes, the second one frees. */
function collect() {
  globalThis.gc()
  globalThis.gc()
}

function delayMs(nanoseconds) {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
}
