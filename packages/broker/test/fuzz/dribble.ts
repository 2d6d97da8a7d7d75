// Golden frames in every pair of pieces, and byte by byte: the answer must be the one to the whole.

import { setImmediate as turn } from 'node:timers/promises'
import { FRAME_HEADER_BYTES, FrameDecoder, limits } from '@tq/core'
import { GOLDEN_REQUESTS } from '../../../core/test/golden-message.ts'
import { FuzzBroker } from './fuzz-broker.ts'
import { type Answer, FuzzClient } from './fuzz-client.ts'
import { HANG_CPU_MS, type InputWatch } from './input-watch.ts'

const SESSION = new Uint8Array(16).fill(0x33)
const GREETING_ID = 4_000_000_000
/** Of an input that was slow. */
const TRIES = 3

/** Sends each golden frame split at every `stride`-th byte. Gives how many splits it tried. */
export async function dribbleAll(stride: number, watch: InputWatch): Promise<number> {
  let splits = 0
  for (const { name, id, frame } of GOLDEN_REQUESTS) {
    requireSameBodies(name, frame)
    const broker = await FuzzBroker.start()
    try {
      const wholes = new Set<string>()
      // A request that is sent twice may be answered otherwise the second time.
      for (const pieces of [[frame], [frame], [frame]]) {
        wholes.add(await answerTo(broker, id, pieces))
      }
      for (const pieces of splitsOf(frame, stride)) {
        watch.begin()
        const answer = await answerTo(broker, id, pieces)
        const { cpuMs } = watch.end()
        if (cpuMs > HANG_CPU_MS) await requireQuick(name, watch, () => answerTo(broker, id, pieces))
        splits += 1
        if (wholes.has(answer)) continue
        const sizes = pieces.slice(0, 3).map(({ length }) => length)
        throw new Error(`${name} in pieces of ${sizes.join(', ')}… is answered by ${answer}`)
      }
    } finally {
      await broker.stop()
    }
  }
  return splits
}

/** A garbage collection may fall into one try; what hangs is as slow every time. */
async function requireQuick(
  name: string,
  watch: InputWatch,
  again: () => Promise<string>,
): Promise<void> {
  let cpuMs = 0
  for (let tries = 0; tries < TRIES; tries += 1) {
    watch.begin()
    await again()
    cpuMs = watch.end().cpuMs
    if (cpuMs <= HANG_CPU_MS) return
  }
  throw new Error(`${name} takes ${Math.round(cpuMs)} ms of CPU`)
}

/** Two pieces at every stride, then single bytes. */
function* splitsOf(frame: Uint8Array, stride: number): Generator<readonly Uint8Array[]> {
  for (let at = 1; at < frame.length; at += stride) {
    yield [frame.subarray(0, at), frame.subarray(at)]
  }
  yield Array.from(frame, (byte) => Uint8Array.of(byte))
}

/** The decoder alone, at every split point. */
function requireSameBodies(name: string, frame: Uint8Array): void {
  for (let at = 0; at <= frame.length; at += 1) {
    const decoder = new FrameDecoder(limits.FRAME_BYTES_MAX)
    const bodies = [...decoder.push(frame.subarray(0, at)), ...decoder.push(frame.subarray(at))]
    const body = Buffer.from(bodies[0] ?? [])
    if (bodies.length !== 1 || !body.equals(frame.subarray(FRAME_HEADER_BYTES))) {
      throw new Error(`${name} split at byte ${at} is another frame`)
    }
  }
}

async function answerTo(
  broker: FuzzBroker,
  id: number,
  pieces: readonly Uint8Array[],
): Promise<string> {
  const client = await FuzzClient.connect(broker.address, SESSION)
  try {
    if (id !== 1) {
      client.greet(GREETING_ID)
      await broker.until(() => client.has(GREETING_ID))
      client.take()
    }
    for (const piece of pieces) {
      client.write(piece)
      // So that the pieces come one by one.
      await turn()
      await turn()
    }
    // A claim or wait that finds nothing is parked, and time stands still: it is asked to end.
    const isAnswered = (): boolean => client.isEnded || client.has(id)
    await broker.settle()
    if (!isAnswered()) client.send(GREETING_ID + 1, { verb: 'abort', id })
    if (!(await broker.until(isAnswered))) return 'nothing'
    const answer = client.take().find((one) => one.id === id)
    return answer === undefined ? 'an end' : kindOf(answer)
  } finally {
    client.destroy()
  }
}

function kindOf(answer: Answer): string {
  return answer.kind === 'refusal' ? answer.error.code : 'a reply'
}
