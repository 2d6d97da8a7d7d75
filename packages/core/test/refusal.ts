// Catches the typed refusal of a call, so that a test can look at its code, text and details.

import { TqError } from '../src/error.ts'

export function refusalOf(call: () => unknown): TqError {
  try {
    call()
  } catch (error) {
    if (error instanceof TqError) return error
    throw error
  }
  throw new Error('the call was expected to be refused, but it was not')
}
