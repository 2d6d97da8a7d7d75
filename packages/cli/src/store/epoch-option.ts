// The option --epoch-min of what makes a store anew: only the operator knows of another one.

import type { Command } from 'commander'
import { wholeNumber } from '../number-option.ts'

/** Fencing tokens stay below 2^53, and an epoch is worth 2^32 of them. */
const EPOCH_MAX = 2 ** 21 - 1

/** @param of What has been made before: "restore of the same backup". */
export function addEpochOption(command: Command, of: string): Command {
  return command.option(
    '--epoch-min <number>',
    `begin with this epoch at least: above the last one of an earlier ${of} on which a broker has run`,
    wholeNumber({ min: 1, max: EPOCH_MAX }),
  )
}

/** As the upkeep program takes it. */
export function epochArgs(epochMin: number | undefined): readonly string[] {
  return epochMin === undefined ? [] : [`--epoch-min=${epochMin}`]
}
