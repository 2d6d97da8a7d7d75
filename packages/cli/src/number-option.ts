// Whole numbers in options, refused with the range that would be right.

import { InvalidArgumentError } from 'commander'

/** A parser for whole numbers from `min` to `max`. */
export function wholeNumber(range: {
  readonly min: number
  readonly max: number
}): (text: string) => number {
  return (text) => {
    const value = Number(text)
    const isRight = /^\d+$/.test(text) && value >= range.min && value <= range.max
    if (isRight) return value
    throw new InvalidArgumentError(`Write a whole number from ${range.min} to ${range.max}.`)
  }
}
