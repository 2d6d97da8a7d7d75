// Why an upkeep program does not do what it was asked for: a code for programs, a sentence for people.

export type RefusedCode =
  'usage' | 'not-found' | 'locked' | 'occupied' | 'no-space' | 'bad-backup' | 'unsound'

export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: RefusedCode

  constructor(code: RefusedCode, message: string) {
    super(message)
    this.code = code
  }
}
