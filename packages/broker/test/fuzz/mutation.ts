// Bends messages: fields of other types, numbers at limits, keys that mean something to JavaScript, bytes.

import { limits } from '@tq/core'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { encodeWild, frameOf, type Wild } from './wild-value.ts'

/** Numbers at which programs of all languages go wrong. */
const NUMBERS = [
  ...[0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 5e-324, 1.7e308],
  ...[127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32],
  ...[2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 2 ** 63, 2 ** 64],
]
/** What `docs/protocol.md` bounds; one more and one less are asked for too. */
const LIMITS = Object.values(limits).filter((limit) => typeof limit === 'number')
const TEXTS = [
  ...['', '__proto__', 'constructor', 'prototype', 'toString', 'length', '\u0000', '\u007f'],
  ...['\ud800', 'a\udfff', '\u{10ffff}', '../../etc/passwd', '*', '%s%n', '1e309', 'é'.repeat(100)],
]
const RAW = [
  ...['c1', 'd4ff00', 'd60100000000', 'd6ff00000000', 'd7ff00000000ffffffff', 'c70cff00'],
  ...['c9ffffffff', 'dbffffffff', 'ddffffffff', 'dfffffffff', 'c6ffffffff', 'dd02000000'],
  ...['cfffffffffffffffff', 'd38000000000000000', 'ca7fc00000', 'a1ff', 'a2c0af', 'd8', ''],
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')))
const DEPTHS = [limits.MSGPACK_DEPTH_MAX - 3, limits.MSGPACK_DEPTH_MAX, 200]
const DEPTH_HOSTILE = 20_000
/** Giants cost as much as a thousand others, and say little more. */
const GIANT_CHANCE = 0.01

/** The message with one to three of its values bent. */
export function bend(message: Wild, random: SeededRandom): Wild {
  let bent = message
  for (let times = random.between(1, 3); times > 0; times -= 1) {
    const target = random.between(0, countOf(bent) - 1)
    bent = replaceNth(bent, { left: target }, (value) => other(value, random))
  }
  return bent
}

/** The frame with its bytes or its length bent. */
export function bendBytes(frame: Uint8Array, random: SeededRandom): Buffer {
  const bytes = Buffer.from(frame)
  const at = random.between(0, bytes.length - 1)
  switch (random.between(0, 6)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << random.between(0, 7))
      return bytes
    case 1:
      bytes[at] = random.between(0, 255)
      return bytes
    case 2:
      return bytes.subarray(0, at)
    case 3:
      return Buffer.concat([bytes, random.bytes(random.between(1, 40))])
    case 4:
      bytes.writeUInt32BE(random.pick([0, 1, bytes.length, limits.FRAME_BYTES_MAX + 1]), 0)
      return bytes
    case 5:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(3), bytes.subarray(at)])
    default:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.between(1, 9))])
  }
}

/** Bytes of a body, bent with its header kept right, so that the decoder has something to do. */
export function bendBody(body: Uint8Array, random: SeededRandom): Buffer {
  const bent = bendBytes(body.length < 4 ? frameOf(body) : body, random)
  return bent.length === 0 ? Buffer.of(0xc0) : bent
}

/** A body from the parts of two. */
export function splice(one: Uint8Array, other: Uint8Array, random: SeededRandom): Buffer {
  const head = one.subarray(0, random.between(0, one.length))
  return Buffer.concat([head, other.subarray(random.between(0, other.length))])
}

/** Something else in the place of a value. */
function other(value: Wild, random: SeededRandom): Wild {
  switch (random.between(0, 9)) {
    case 0:
      return random.pick(NUMBERS)
    case 1:
      return random.pick(LIMITS) + random.between(-1, 1)
    case 2:
      return random.pick(TEXTS)
    case 3:
      return { raw: random.pick(RAW) }
    case 4:
      return nested(
        random.happens(GIANT_CHANCE) ? DEPTH_HOSTILE : random.pick(DEPTHS),
        random.happens(0.5),
      )
    case 5: {
      const length = random.happens(GIANT_CHANCE) ? 1_001 : random.pick([0, 1, 17])
      return Array.from({ length }, () => value)
    }
    case 6:
      return random.bytes(random.pick([0, 1, 15, 16, 17, 300]))
    case 7:
      return random.pick([null, true, false])
    default:
      return nearby(value, random)
  }
}

/** A value of the same kind that is a little off. */
function nearby(value: Wild, random: SeededRandom): Wild {
  if (typeof value === 'number') return value + random.pick([-1, 1, 0.5, 2 ** 32])
  if (typeof value === 'string') return value + random.pick(TEXTS)
  if (value instanceof Uint8Array) {
    const bytes = Uint8Array.from(value)
    if (bytes.length > 0) bytes[random.between(0, bytes.length - 1)] = random.between(0, 255)
    return random.happens(0.3) ? bytes.subarray(1) : bytes
  }
  if (value === null || typeof value === 'boolean') return random.pick([null, true, 0, ''])
  if (Array.isArray(value)) {
    const at = random.between(0, value.length)
    const items = value as readonly Wild[]
    return random.happens(0.5)
      ? items.toSpliced(at, 1)
      : items.toSpliced(at, 0, items[at] ?? random.pick(NUMBERS))
  }
  if (typeof value === 'object' && 'pairs' in value) {
    const at = random.between(0, value.pairs.length)
    const pair = value.pairs[at] ?? [random.pick(TEXTS), random.pick(NUMBERS)]
    const strange = [random.pick<Wild>([...TEXTS, 1, null]), pair[1]] as const
    const added = random.pick([pair, strange])
    return {
      pairs: random.happens(0.3) ? value.pairs.toSpliced(at, 1) : [...value.pairs, added],
    }
  }
  return value
}

function nested(depth: number, isMap: boolean): Wild {
  const step = isMap ? [0x81, 0xa1, 0x61] : [0x91]
  const bytes = new Uint8Array(depth * step.length + 1).fill(0xc0)
  for (let at = 0; at < depth; at += 1) bytes.set(step, at * step.length)
  return { raw: bytes }
}

function countOf(value: Wild): number {
  if (Array.isArray(value)) {
    return (value as readonly Wild[]).reduce<number>((sum, item) => sum + countOf(item), 1)
  }
  if (typeof value !== 'object' || value === null || !('pairs' in value)) return 1
  return value.pairs.reduce((sum, [, item]) => sum + countOf(item), 1)
}

function replaceNth(value: Wild, counter: { left: number }, by: (old: Wild) => Wild): Wild {
  if (counter.left === 0) {
    counter.left -= 1
    return by(value)
  }
  counter.left -= 1
  if (counter.left < 0) return value
  if (Array.isArray(value)) {
    return (value as readonly Wild[]).map((item) => replaceNth(item, counter, by))
  }
  if (typeof value !== 'object' || value === null || !('pairs' in value)) return value
  return { pairs: value.pairs.map(([key, item]) => [key, replaceNth(item, counter, by)] as const) }
}

/** The frame of a message that was bent. */
export function bentFrame(message: Wild, random: SeededRandom): Buffer {
  return frameOf(encodeWild(bend(message, random)))
}
