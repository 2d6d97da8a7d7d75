// What a comparison is asked to do.

import { parseArgs } from 'node:util'
import { PEER_NAMES } from './catalogue.ts'
import { isPhaseName, PHASE_NAMES, type PhaseName } from './phase-name.ts'
import { BODY_BYTES_MIN } from './task-body.ts'

export interface Settings {
  readonly peers: readonly string[]
  readonly phases: readonly PhaseName[]
  readonly rounds: number
  readonly tasks: number
  readonly payloadBytes: number
  /** CPU that others may take of one core before a run is repeated, in percent. */
  readonly otherPercentMax: number
  readonly out: string | undefined
}

/** beanstalkd takes no more as it comes, in bytes. */
const PAYLOAD_BYTES_MAX = 65_535
const COUNT_MAX = 10_000_000

export const USAGE = `Compares tq with other task queues on this machine, in turns.

  --peers a,b         default: those of ${PEER_NAMES.join(', ')}
                      that are installed, without tq-defaults
  --phase a,b         default: ${PHASE_NAMES.join(',')}
  --rounds 5          each peer once in every round
  --tasks 30000       tasks of a run
  --payload 200       bytes of a payload, ${BODY_BYTES_MIN} to ${PAYLOAD_BYTES_MAX}
  --other-max 25      repeat a run once if other programs took more than so much of a core, in percent
  --out file          all figures, as JSON
`

/** Throws an error that names the flag. */
export function readSettings(argv: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      peers: { type: 'string' },
      phase: { type: 'string' },
      rounds: { type: 'string' },
      tasks: { type: 'string' },
      payload: { type: 'string' },
      'other-max': { type: 'string' },
      out: { type: 'string' },
    },
  })
  const standard = PEER_NAMES.filter((name) => name !== 'tq-defaults')
  const payload = { least: BODY_BYTES_MIN, most: PAYLOAD_BYTES_MAX, standard: 200 }
  return {
    peers: values.peers === undefined ? standard : peersOf(values.peers),
    phases: values.phase === undefined ? PHASE_NAMES : phasesOf(values.phase),
    rounds: wholeNumber('rounds', values.rounds, { least: 1, most: COUNT_MAX, standard: 5 }),
    tasks: wholeNumber('tasks', values.tasks, { least: 1, most: COUNT_MAX, standard: 30_000 }),
    payloadBytes: wholeNumber('payload', values.payload, payload),
    otherPercentMax: wholeNumber('other-max', values['other-max'], {
      least: 0,
      most: COUNT_MAX,
      standard: 25,
    }),
    out: values.out,
  }
}

function peersOf(text: string): readonly string[] {
  return listOf('peers', text, PEER_NAMES)
}

function phasesOf(text: string): readonly PhaseName[] {
  return listOf('phase', text, PHASE_NAMES).filter(isPhaseName)
}

function listOf(flag: string, text: string, known: readonly string[]): readonly string[] {
  const names = [...new Set(text.split(','))]
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names
  throw new Error(`--${flag} names "${unknown}"; there are ${known.join(', ')}`)
}

function wholeNumber(
  flag: string,
  text: string | undefined,
  range: { readonly least: number; readonly most: number; readonly standard: number },
): number {
  if (text === undefined) return range.standard
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= range.least && value <= range.most) return value
  throw new Error(
    `--${flag} is ${text}; it must be a whole number, ${range.least} to ${range.most}`,
  )
}
