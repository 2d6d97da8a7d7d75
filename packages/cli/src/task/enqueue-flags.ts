// The flags of `task enqueue`, and the options of a task that they mean.

import type { TaskOptions } from '@tq/client'
import { type Labels, limits } from '@tq/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../duration.ts'
import { parseHeader, parseLabel } from '../key-value.ts'
import { wholeNumber } from '../number-option.ts'
import type { PayloadOptions } from '../payload-source.ts'

export interface EnqueueFlags extends PayloadOptions {
  readonly priority?: number
  readonly delay?: number
  readonly runAt?: number
  readonly ttl?: number
  readonly key?: string
  readonly id?: string
  readonly maxAttempts?: number
  readonly runTimeout?: number
  readonly require?: Labels
  readonly header?: Readonly<Record<string, string>>
  readonly wait?: boolean
}

/** A date, a time and a zone: without a zone the moment would depend on the machine. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$/

export function addEnqueueFlags(command: Command): void {
  command
    .option('--json <text>', 'the payload as JSON; - reads it from stdin')
    .option('--file <path>', 'a file with the payload as JSON; - is stdin')
    .option('--raw', 'send the bytes of the file or stdin as they are')
    .addOption(priorityOption())
    .addOption(
      new Option('--delay <duration>', 'not before this long from now, such as 5s')
        .argParser(parseDuration)
        .conflicts('runAt'),
    )
    .option('--run-at <time>', 'not before this moment, such as 2026-11-20T18:00:00Z', parseInstant)
    .option('--ttl <duration>', 'expire if it was not started within this time', parseDuration)
    .option('--key <text>', 'idempotency key: the same key again is the same task')
    .option('--id <id>', 'id of an enqueue whose outcome is unknown, to repeat it safely')
    .option(
      '--max-attempts <number>',
      'failures after which it is dead',
      wholeNumber({ min: 1, max: limits.ATTEMPTS_MAX }),
    )
    .option('--run-timeout <duration>', 'longest time that one attempt may run', parseDuration)
    .option('--require <name=value>', 'label that its worker must have; repeatable', parseLabel)
    .option('--header <name=value>', 'header that goes with it; repeatable', parseHeader)
    .option('--wait', 'wait until it has ended, print its result, and exit by how it ended')
}

/** What was left out stays out: the queue's settings decide then. */
export function taskOptions(flags: EnqueueFlags): TaskOptions {
  const { priority, delay, runAt, ttl, key, maxAttempts, runTimeout, require, header } = flags
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(runAt === undefined ? {} : { runAtMs: runAt }),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(runTimeout === undefined ? {} : { timeoutMs: runTimeout }),
    ...(require === undefined ? {} : { requires: require }),
    ...(header === undefined ? {} : { headers: header }),
  }
}

function priorityOption(): Option {
  const text = '0 to 255, 255 is most urgent (default: 128)'
  const range = { min: 0, max: limits.PRIORITY_MAX }
  return new Option('--priority <number>', text).argParser(wholeNumber(range))
}

function parseInstant(text: string): number {
  const atMs = Date.parse(text)
  if (INSTANT.test(text) && !Number.isNaN(atMs)) return atMs
  throw new InvalidArgumentError(
    'Write date, time and zone: 2026-11-20T18:00:00Z, or 2026-11-20T18:00:00+01:00.',
  )
}
