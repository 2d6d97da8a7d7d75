// Text of strangers, made safe for a screen: control characters are shown, not obeyed.

/** Control characters of both kinds, and those that turn the direction of writing. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** One line without anything a terminal would act on: `\n`, `\u001b[2J`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped)
}

/** The same, but line breaks stay. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n')
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
