// With which epoch a store begins that is made anew: above every one that may have given tokens.

import { limits } from '@tq/core'
import { EPOCH_SKIP } from '../storage/store-verification.ts'
import { Refused } from './refused.ts'

/**
 * @param last The last epoch that is known of.
 * @param least What the operator asks for at least, who knows of another store made from the same.
 * @throws {Refused} `usage`
 */
export function firstEpoch(last: number, least: number): number {
  const epoch = Math.max(last + EPOCH_SKIP, least)
  const epochMax = limits.TOKEN_MAX / limits.TOKENS_PER_EPOCH - EPOCH_SKIP
  if (Number.isSafeInteger(epoch) && epoch >= 0 && epoch < epochMax) return epoch
  throw new Refused('usage', `the epoch must be a whole number below ${epochMax}, got ${epoch}`)
}
